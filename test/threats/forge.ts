/** Signs what only the owner's own keys may sign, with whatever key an attacker has; and, for forks, with the right one. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { decodeSignedHead, encodeHead, type Head, signHead } from "../../shared/protocol/head.ts";
import type { Signer } from "../../shared/protocol/signed.ts";
import { type OwnerStatement, signStatement, type VerifiedStatement } from "../../shared/protocol/statement.ts";
import { newestHead } from "../../manager/heads/repository.ts";
import { signingKey } from "../../manager/owner/keys.ts";
import { currentStatement } from "../../manager/owner/statement.ts";
import type { TestEdge } from "../fixtures/edge.ts";
import type { TestManager } from "../fixtures/manager.ts";
import { showHead } from "./edge_database.ts";

/** The head that a manager signed last. */
export async function lastHead(manager: TestManager): Promise<Head> {
  const row = await newestHead(manager.db);
  if (row === null) throw new Error("No head was signed yet");
  return decodeSignedHead(row.signed).head;
}

/** Signs with the manager's own key: what only its copy, or the manager itself gone wrong, can do. */
export async function managersSigner(manager: TestManager): Promise<Signer> {
  return (await signingKey(manager.db, "manager")).sign;
}

/** Shows a head at the edge that says something else than the manager's last. */
export async function showForgedHead(
  edge: TestEdge,
  manager: TestManager,
  change: Partial<Head>,
  signer: Signer,
): Promise<void> {
  const head = { ...await lastHead(manager), ...change };
  await showHead(edge, { signed: await signHead(encodeHead(head), signer), generation: head.generation });
}

/**
 * A statement of the owner's that says something else than the one in force, signed by its root or by another key.
 *
 * @param root the certificate that it carries instead of the owner's
 */
export async function forgeStatement(
  manager: TestManager,
  change: Partial<OwnerStatement>,
  signer?: Signer,
  root?: Bytes,
): Promise<Bytes> {
  const current: VerifiedStatement = await currentStatement(manager.db);
  return await signStatement(
    root ?? current.root,
    { ...current, ...change },
    signer ?? (await signingKey(manager.db, "root")).sign,
  );
}

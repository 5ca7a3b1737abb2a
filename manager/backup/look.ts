/** What the edge shows a manager that is being restored: believed as far as it is signed (spec: BACKUP-11). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { fetchStatement } from "../../shared/client/session/fetch_statement.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import { TableVerifier, verifyTable } from "../../shared/client/verify/verify_table.ts";
import { secretKey } from "../../shared/crypto/brand.ts";
import { openHpke } from "../../shared/crypto/hpke.ts";
import { importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { type Redacted, reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { deriveEpochKeys, type EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { decodeSignedHead, type SignedHead } from "../../shared/protocol/head.ts";
import { judgeHistory } from "../../shared/protocol/judge_history.ts";
import type { DeviceContent } from "../../shared/protocol/plaintexts.ts";
import { type VerifiedStatement, verifyStatement } from "../../shared/protocol/statement.ts";
import { RECOVERY_DEVICE, wrapInfo } from "../../shared/protocol/wrap.ts";
import type { EdgeLink, HeadSince } from "../edge/link.ts";
import { openEdgeLink } from "../edge/session_link.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { managerKey } from "../owner/keys.ts";
import { currentStatement, findStatement } from "../owner/statement.ts";
import type { OpenedEdge } from "./catch_up.ts";

/** The newest that the edge shows. */
export interface EdgeLook {
  readonly statement: VerifiedStatement;
  /** Null when it holds none. */
  readonly head: SignedHead | null;
  /** The devices of that head; null without the recovery key. */
  readonly devices: readonly DeviceContent[] | null;
  /** That head, and what opens what is under it; null without the recovery key. */
  readonly opened: OpenedEdge | null;
  /** The path from the head of a lower generation to that head; null when the edge does not show one (spec: READ-07). */
  readonly pathFrom: (generation: number) => Promise<HeadSince["history"]>;
}

/**
 * Asks the edge. Nothing is changed there, and nothing is signed but a login.
 *
 * @param seed of the recovery key, if it is at hand
 * @returns null when the edge does not know the owner
 * @throws `forked` when it shows another history than the backup's; `wrong_key` for another recovery key; `network`, `tampered` and so on
 */
export async function lookAtEdge(
  db: Database,
  seed: Redacted<Bytes> | null,
  surroundings: Surroundings,
): Promise<EdgeLook | null> {
  const own = await currentStatement(db);
  const shown = await shownStatement(own, surroundings);
  if (shown === null) return null;
  const statement = shown.number > own.number ? shown : own;
  const link = await openEdgeLink({
    statement,
    sign: (await managerKey(db, statement.managerKey)).sign,
    managerKey: async ({ number, hash }) => {
      const named = equalBytes(hash, statement.hash) ? statement : await findStatement(db, number);
      if (named !== null && equalBytes(named.hash, hash)) return named.managerKey;
      throw new PosternError("forked", `The edge shows an owner statement ${number} that nobody knows of`);
    },
  }, surroundings);
  const { head } = await link.state();
  const look = { statement, head, devices: null, opened: null, pathFrom: pathsTo(head, link) };
  if (head === null) return look;
  await requireSameHistory(db, head, statement, look.pathFrom);
  if (seed === null) return look;
  const opened = { link, head: head.head, keys: await openEpoch(head, statement, seed) };
  return { ...look, devices: await devicesOf(opened), opened };
}

function pathsTo(head: SignedHead | null, link: Pick<EdgeLink, "headSince">): EdgeLook["pathFrom"] {
  return async (generation) => {
    if (head === null) return null;
    const { head: shown, history } = await link.headSince(generation);
    if (shown !== null && equalBytes(decodeSignedHead(shown).hash, head.hash)) return history;
    throw new PosternError("conflict", "The edge went on meanwhile: stop the old manager, and restore again");
  };
}

/** The newest owner statement of the edge that the newest one names: an edge that was moved away from shows where to. */
async function shownStatement(
  own: VerifiedStatement,
  surroundings: Surroundings,
): Promise<VerifiedStatement | null> {
  const [edge] = own.edges;
  if (edge === undefined) throw new PosternError("configuration", "The owner statement names no edge");
  const signed = await fetchStatement(own.owner, edge.origin, surroundings);
  if (signed === null) return null;
  const shown = await verifyStatement(signed, own.owner);
  if (shown.number === own.number && !equalBytes(shown.bytes, own.bytes)) {
    throw new PosternError("forked", `The edge shows another owner statement ${shown.number} than the backup holds`);
  }
  if (shown.number <= own.number || shown.edges[0]?.origin === edge.origin) return shown;
  return await shownStatement(shown, surroundings);
}

async function requireSameHistory(
  db: Database,
  { head, hash }: SignedHead,
  newest: VerifiedStatement,
  pathFrom: EdgeLook["pathFrom"],
): Promise<void> {
  const { number } = head.statement;
  const named = number === newest.number ? newest : await findStatement(db, number);
  if (named === null || !equalBytes(named.incarnation, head.incarnation) || !equalBytes(head.owner, newest.owner)) {
    throw new PosternError("tampered", "The edge shows a head that does not belong to its owner statement");
  }
  const own = await findHead(db, head.generation);
  if (own !== null && !equalBytes(own.hash, hash)) {
    throw new PosternError(
      "forked",
      `The edge shows another head of generation ${head.generation} than the backup holds`,
    );
  }
  const last = await newestHead(db);
  if (last === null || last.generation >= head.generation) return;
  if (!equalBytes((await findStatement(db, last.statement))?.incarnation ?? NOTHING, head.incarnation)) return;
  judgeHistory({ head }, last, await pathFrom(last.generation));
}

const NOTHING: Bytes = new Uint8Array(0);

/** The epoch of a head, by the recovery key (spec: KEY-03). */
async function openEpoch(
  { head }: SignedHead,
  { recoveryKey }: VerifiedStatement,
  seed: Redacted<Bytes>,
): Promise<EpochKeys> {
  const key = await importHpkeKey("xwing", reveal(seed));
  if (!equalBytes(key.publicKey, recoveryKey)) {
    throw new PosternError("wrong_key", "This is not the recovery key that the owner statement names");
  }
  const { owner, incarnation, epoch } = head;
  const context = { owner, incarnation, epoch };
  const symKey = await openHpke("xwing", key, wrapInfo(context, RECOVERY_DEVICE, "xwing"), head.recovery);
  return await deriveEpochKeys(secretKey<"SymKey">(symKey), context, head.commitment);
}

async function devicesOf({ link, head, keys }: OpenedEdge): Promise<readonly DeviceContent[]> {
  const devices: DeviceContent[] = [];
  await verifyTable(
    new TableVerifier(keys, "devices", head.tables.devices),
    (after) => link.tablePage("devices", head.epoch, head.generation, after),
    (rows) => void devices.push(...rows.flatMap(({ content }) => content.kind === "device" ? [content.device] : [])),
  );
  return devices;
}

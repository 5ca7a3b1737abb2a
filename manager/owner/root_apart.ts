/** The owner's root key kept elsewhere: taken out of the database, and brought back (shared/spec/keys.md). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { algorithmOfSpki, importSigningKey } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import type { ImportedKey } from "../keys/export.ts";
import { tables } from "../store/tables.ts";
import { newestKey } from "./keys.ts";

const setPrivate = query((p: { version: number; private_key: Bytes | null }) =>
  tables.updateTable("keys").set({ private_key: p.private_key }).where("role", "=", "root")
    .where("version", "=", p.version)
);

/**
 * Takes the root's private key out of the database, which from then on adds no device and signs no statement.
 *
 * @param kept the key as it was read back from where it is kept
 * @throws `wrong_key` when that is another key
 */
export async function takeRootAway(db: Database, kept: ImportedKey): Promise<void> {
  const row = await newestKey(db, "root");
  requireRoot(kept, row.public_key);
  await db.execute(setPrivate.bind({ version: row.version, private_key: null }));
}

/**
 * Brings the root's private key back.
 *
 * @returns false when it was here already
 * @throws `wrong_key` for any other key than that of the owner's root
 */
export async function bringRootBack(db: Database, imported: ImportedKey): Promise<boolean> {
  const row = await newestKey(db, "root");
  requireRoot(imported, row.public_key);
  if (row.private_key !== null) return false;
  const pkcs8 = reveal(imported.pkcs8);
  await importSigningKey(pkcs8, algorithmOfSpki(row.public_key), false);
  await db.execute(setPrivate.bind({ version: row.version, private_key: pkcs8 }));
  return true;
}

function requireRoot({ kind, publicKey }: ImportedKey, root: Bytes): void {
  if (equalBytes(publicKey, root)) return;
  throw new PosternError("wrong_key", `The file holds another key (${kind}), not that of this owner's root`);
}

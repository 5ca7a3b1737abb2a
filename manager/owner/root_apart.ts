/** The owner's root key kept elsewhere: taken out of the database, and brought back (shared/spec/keys.md). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { algorithmOfSpki, importSigningKey } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { noteEvent } from "../audit/note.ts";
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
 * @param now Millis
 * @throws `wrong_key` when that is another key
 */
// spec: AUDIT-01
export async function takeRootAway(db: Database, kept: ImportedKey, now: number): Promise<void> {
  const { version, public_key } = await newestKey(db, "root");
  requireRoot(kept, public_key);
  await db.batch([
    setPrivate.bind({ version, private_key: null }),
    noteEvent("key.exported", "root", { version, removedHere: true }, now),
  ]);
}

/**
 * Brings the root's private key back.
 *
 * @param now Millis
 * @returns false when it was here already
 * @throws `wrong_key` for any other key than that of the owner's root
 */
// spec: AUDIT-01
export async function bringRootBack(db: Database, imported: ImportedKey, now: number): Promise<boolean> {
  const row = await newestKey(db, "root");
  requireRoot(imported, row.public_key);
  if (row.private_key !== null) return false;
  const pkcs8 = reveal(imported.pkcs8);
  await importSigningKey(pkcs8, algorithmOfSpki(row.public_key), false);
  await db.batch([
    setPrivate.bind({ version: row.version, private_key: pkcs8 }),
    noteEvent("key.imported", "root", { version: row.version }, now),
  ]);
  return true;
}

function requireRoot({ kind, publicKey }: ImportedKey, root: Bytes): void {
  if (equalBytes(publicKey, root)) return;
  throw new PosternError("wrong_key", `The file holds another key (${kind}), not that of this owner's root`);
}

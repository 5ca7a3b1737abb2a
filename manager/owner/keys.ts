/** The owner's and manager's keys in the database: root, manager, inbox, and the instance's identity (shared/spec/keys.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type HpkePrivateKey, importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { algorithmOfSpki, importSigningKey, sign } from "../../shared/crypto/signature.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import type { Signer } from "../../shared/protocol/signed.ts";
import type { KeysTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

export type KeyRole = "root" | "manager" | "inbox" | "instance";

const all = compile(tables.selectFrom("keys").selectAll().orderBy("role", "desc").orderBy("version"));
const newest = query((p: { role: string }) =>
  tables.selectFrom("keys").selectAll().where("role", "=", p.role).orderBy("version", "desc").limit(1)
);
const byPublicKey = query((p: { role: string; public_key: Bytes }) =>
  tables.selectFrom("keys").selectAll().where("role", "=", p.role).where("public_key", "=", p.public_key).limit(1)
);
const insert = query((p: { role: string; version: number; public_key: Bytes; private_key: Bytes; created: number }) =>
  tables.insertInto("keys").values({
    ...{ role: p.role, version: p.version, public_key: p.public_key, private_key: p.private_key, created: p.created },
  })
);

/** Stores a key; it is from now on the newest of its role. */
export function putKey(
  role: KeyRole,
  version: number,
  key: { readonly publicKey: Bytes; readonly privateKey: Bytes },
  now: number,
): Statement<never> {
  const { publicKey, privateKey } = key;
  return insert.bind({ role, version, public_key: publicKey, private_key: privateKey, created: now });
}

/** Every key, role by role. */
export async function allKeys(db: Database): Promise<readonly KeysTable[]> {
  return (await db.execute(all)).rows;
}

/** The newest key of a role, or null. */
export async function findKey(db: Database, role: KeyRole): Promise<KeysTable | null> {
  const { rows: [row] } = await db.execute(newest.bind({ role }));
  return row ?? null;
}

/** The newest key of a role. @throws `storage` when there is none */
export async function newestKey(db: Database, role: KeyRole): Promise<KeysTable> {
  const row = await findKey(db, role);
  if (row === null) throw new PosternError("storage", `The manager's database has no ${role} key: run init first`);
  return row;
}

/** A signature key with its private half ready to use, not extractable. */
export interface SigningKey {
  readonly publicKey: Bytes;
  readonly key: CryptoKey;
  readonly sign: Signer;
}

/** The newest signature key of a role. @throws `configuration` when its private half is kept elsewhere */
export async function signingKey(db: Database, role: "root" | "manager" | "instance"): Promise<SigningKey> {
  return await openSigningKey(await newestKey(db, role));
}

/**
 * The manager key with this public half: the one that the owner statement names, which a newer one replaces only with the next
 * statement.
 */
export async function managerKey(db: Database, publicKey: Bytes): Promise<SigningKey> {
  const { rows: [row] } = await db.execute(byPublicKey.bind({ role: "manager", public_key: publicKey }));
  if (row === undefined) {
    throw new PosternError("storage", "The owner statement names a manager key that is not in the database");
  }
  return await openSigningKey(row);
}

async function openSigningKey(row: KeysTable): Promise<SigningKey> {
  const key = await importSigningKey(privateHalf(row), algorithmOfSpki(row.public_key), false);
  return { publicKey: row.public_key, key, sign: (message) => sign(key, message) };
}

/** The inbox key with this public half: older ones are kept, since submissions may still be sealed to them. */
export async function inboxKey(db: Database, publicKey: Bytes): Promise<HpkePrivateKey> {
  const { rows: [row] } = await db.execute(byPublicKey.bind({ role: "inbox", public_key: publicKey }));
  if (row === undefined) throw new PosternError("not_found", "This inbox key is not the manager's");
  return await importHpkeKey("xwing", privateHalf(row));
}

function privateHalf(row: KeysTable): Bytes {
  if (row.private_key !== null) return row.private_key;
  throw new PosternError(
    "configuration",
    `The private ${row.role} key is kept elsewhere; bring it back: postern key import ${row.role}`,
  );
}

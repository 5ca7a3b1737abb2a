/** Single values of the manager, by name, each with its one codec. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { tables } from "./tables.ts";

/** Values that are there once. */
export const META = {
  /** Owner id, 32 bytes. */
  owner: "owner",
  /** DER of the root certificate. */
  root: "root",
  /** Life of this database, 16 bytes. */
  incarnation: "incarnation",
  /** X-Wing public key of the recovery key. */
  recoveryKey: "recovery-key",
  /** The edge in use: its origin as text, and its X25519 public key. */
  origin: "origin",
  edgeKey: "edge-key",
  /** Right edge of the history tree over all heads signed so far. */
  history: "history",
  /** Milliseconds between two heads. */
  intervalMillis: "interval-millis",
  /** Generations up to this one belong to earlier incarnations, as far as a restore knew of any (spec: BACKUP-09). */
  generationFloor: "generation-floor",
  /** From which generation on the change lists of the next head name everything that changed; 0 for none (spec: HEAD-12). */
  listed: "listed",
  /** The newest epoch that began in such a way that deltas can follow (spec: PUSH-18). */
  deltaEpoch: "delta-epoch",
  /** How many rows there were of each size in the last push of a small store (manager/push/plan/pad_store.ts). */
  paddedRows: "padded-rows",
  /** The instance's last request to publishers (shared/spec/registration.md). */
  registrationRequest: "registration-request",
} as const;

export type MetaName = (typeof META)[keyof typeof META];

const selectMeta = query((p: { name: string }) =>
  tables.selectFrom("meta").select("value").where("name", "=", p.name).limit(1)
);
const writeMeta = query((p: { name: string; value: Bytes }) =>
  tables.insertInto("meta").values({ name: p.name, value: p.value })
    .onConflict((c) => c.column("name").doUpdateSet({ value: p.value }))
);

const removeMeta = query((p: { name: string }) => tables.deleteFrom("meta").where("name", "=", p.name));

/** The bytes of a value, or null when it was never set. */
export async function findBytes(db: Database, name: MetaName): Promise<Bytes | null> {
  const { rows: [row] } = await db.execute(selectMeta.bind({ name }));
  return row?.value ?? null;
}

/** The bytes of a value that `init` has set. @throws `storage` when it is missing */
export async function readBytes(db: Database, name: MetaName): Promise<Bytes> {
  const value = await findBytes(db, name);
  if (value === null) {
    throw new PosternError("storage", `The manager's database has no '${name}': it was not set up by init`);
  }
  return value;
}

/** Sets a value of bytes. */
export function setBytes(name: MetaName, value: Bytes): Statement<never> {
  return writeMeta.bind({ name, value });
}

/** Unsets a value. */
export function unset(name: MetaName): Statement<never> {
  return removeMeta.bind({ name });
}

/** A number; 0 when it was never set. */
export async function readNumber(db: Database, name: MetaName): Promise<number> {
  const value = await findBytes(db, name);
  const number = value === null ? 0 : decodeCbor(value);
  if (typeof number !== "number") throw new PosternError("storage", `The manager's '${name}' is not a number`);
  return number;
}

/** Sets a number. */
export function setNumber(name: MetaName, value: number): Statement<never> {
  return writeMeta.bind({ name, value: encodeCbor(value) });
}

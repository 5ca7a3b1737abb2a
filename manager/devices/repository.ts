/** The owner's devices: pending until the check code is confirmed, active, revoked for good. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { encodeDevice } from "../../shared/protocol/plaintexts.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import { COUNTERS, raise } from "../store/counters.ts";
import { entriesChanged, putEntry, removeEntry } from "../store/entries.ts";
import type { DevicesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

const insert = query((p: DevicesTable & Record<string, string | number | null | Bytes>) =>
  tables.insertInto("devices").values({
    ...{ id: p.id, registration: p.registration, name: p.name, public_key: p.public_key, certificate: p.certificate },
    ...{ suite: p.suite, kem_public_key: p.kem_public_key, state: p.state, pairing_request: p.pairing_request },
    ...{ pairing_grant: p.pairing_grant, added: p.added, revoked: p.revoked },
  })
);
const active = compile(tables.selectFrom("devices").selectAll().where("state", "=", "active").orderBy("registration"));
const all = compile(tables.selectFrom("devices").selectAll().orderBy("registration"));
const byId = query((p: { id: Bytes }) => tables.selectFrom("devices").selectAll().where("id", "=", p.id).limit(1));
const byName = query((p: { name: string }) =>
  tables.selectFrom("devices").selectAll().where("name", "=", p.name).where("state", "<>", "revoked").limit(1)
);
const setState = query((p: { id: Bytes; from: string; to: string; revoked: number | null }) =>
  tables.updateTable("devices").set({ state: p.to, revoked: p.revoked }).where("id", "=", p.id)
    .where("state", "=", p.from)
);

/** Stores a new device; nothing of it is pushed before it is active. */
export function insertDevice(device: DevicesTable): Statement<never> {
  return insert.bind({ ...device });
}

/** Active devices, by registration. */
export async function activeDevices(db: Database): Promise<readonly DevicesTable[]> {
  return (await db.execute(active)).rows;
}

/** All devices, revoked ones too. */
export async function allDevices(db: Database): Promise<readonly DevicesTable[]> {
  return (await db.execute(all)).rows;
}

export async function findDevice(db: Database, id: Bytes): Promise<DevicesTable | null> {
  return (await db.execute(byId.bind({ id }))).rows[0] ?? null;
}

/** A device that is not revoked, by its name. @throws `not_found` */
export async function deviceByName(db: Database, name: string): Promise<DevicesTable> {
  const { rows: [row] } = await db.execute(byName.bind({ name }));
  if (row === undefined) {
    throw new PosternError("not_found", `There is no device named '${name}'; see: postern device list`);
  }
  return row;
}

/** Makes a pending device active: from the next push on, in a new epoch, it can log in and read (spec: PAIR-01). */
export async function activateDevice(db: Database, device: DevicesTable): Promise<void> {
  const [{ changes }] = await db.batch([
    setState.bind({ id: device.id, from: "pending", to: "active", revoked: null }),
    putEntry(LISTS.device(device.id), 0, deviceEntry(device)),
    entriesChanged(),
    raise(COUNTERS.devicesVersion),
  ]);
  if (changes !== 1) throw new PosternError("conflict", `The device '${device.name}' is not waiting for confirmation`);
}

/** Revokes a device: the next push starts an epoch that it cannot read. `now` in Millis. */
export async function revokeDevice(db: Database, device: DevicesTable, now: number): Promise<void> {
  const [{ changes }] = await db.batch([
    setState.bind({ id: device.id, from: device.state, to: "revoked", revoked: now }),
    removeEntry(LISTS.device(device.id), 0),
    entriesChanged(),
    raise(COUNTERS.devicesVersion),
  ]);
  if (changes !== 1) throw new PosternError("conflict", `The device '${device.name}' has changed meanwhile; try again`);
}

/** The plaintext of a device's row. */
export function deviceEntry(d: DevicesTable): Bytes {
  return encodeDevice({
    ...{ id: d.id, registration: d.registration, name: d.name, publicKey: d.public_key, certificate: d.certificate },
    ...{ suite: d.suite, kemPublicKey: d.kem_public_key, added: d.added },
  });
}

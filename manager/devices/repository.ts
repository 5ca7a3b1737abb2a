/** The owner's devices: pending until the check code is confirmed, active, revoked for good. */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { failedConstraint } from "../../shared/database/failures.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { encodeDevice } from "../../shared/protocol/plaintexts.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import { COUNTERS, raise } from "../store/counters.ts";
import { putEntry, removeEntry } from "../store/entries.ts";
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
// A state that may not follow is NULL, which the column refuses, and with it the whole batch.
const activate = query((p: { id: Bytes; most: number }) =>
  tables.updateTable("devices").set((e) => ({
    state: sql<string>`iif(state = 'pending' AND (${
      e.selectFrom("devices as d").select((d) => d.fn.countAll().as("n")).where("d.state", "=", "active")
    }) < ${p.most}, 'active', NULL)`,
  })).where("id", "=", p.id)
);
const revoke = query((p: { id: Bytes; revoked: number }) =>
  tables.updateTable("devices").set({
    state: sql<string>`iif(state <> 'revoked', 'revoked', NULL)`,
    revoked: p.revoked,
  })
    .where("id", "=", p.id)
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

/**
 * Makes a pending device active: from the next push on, in a new epoch, it can log in and read (spec: PAIR-01).
 *
 * @throws `conflict` unless it waits for confirmation; `too_large` when there are `LIMITS.maxDevices` already (spec: HEAD-06)
 */
export async function activateDevice(db: Database, device: DevicesTable): Promise<void> {
  const { id, name } = device;
  try {
    await db.batch([
      activate.bind({ id, most: LIMITS.maxDevices }),
      putEntry(LISTS.device(id), 0, deviceEntry(device)),
      raise(COUNTERS.devicesVersion),
    ]);
  } catch (error) {
    if (failedConstraint(error)?.name !== STATE_COLUMN) throw error;
    if ((await findDevice(db, id))?.state !== "pending") {
      throw new PosternError("conflict", `The device '${name}' is not waiting for confirmation`, { cause: error });
    }
    throw new PosternError("too_large", `There are ${LIMITS.maxDevices} devices already; revoke one first`, {
      cause: error,
    });
  }
}

/**
 * Revokes a device: the next push starts an epoch that it cannot read. `now` in Millis.
 *
 * @throws `conflict` when it was revoked before
 */
export async function revokeDevice(db: Database, device: DevicesTable, now: number): Promise<void> {
  const { id, name } = device;
  try {
    await db.batch([
      revoke.bind({ id, revoked: now }),
      removeEntry(LISTS.device(id), 0),
      raise(COUNTERS.devicesVersion),
    ]);
  } catch (error) {
    if (failedConstraint(error)?.name !== STATE_COLUMN) throw error;
    throw new PosternError("conflict", `The device '${name}' was revoked before`, { cause: error });
  }
}

const STATE_COLUMN = "devices.state";

/** The plaintext of a device's row. */
export function deviceEntry(d: DevicesTable): Bytes {
  return encodeDevice({
    ...{ id: d.id, registration: d.registration, name: d.name, publicKey: d.public_key, certificate: d.certificate },
    ...{ suite: d.suite, kemPublicKey: d.kem_public_key, added: d.added },
  });
}

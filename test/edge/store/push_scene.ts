/** Where tests of pushes begin: an owner, with or without a state, and the short ways to change and see it. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import type { PushBody } from "../../../edge/store/push/state.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { type DeviceFixture, type HeadFixture, NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { asDevice, asManager, counts, deviceRow, openStore, pushBody, pushRows, rawRow, token } from "./fixture.ts";

/** An owner that the edge knows and holds nothing of. */
export async function fresh(database: Database) {
  const owner = await OwnerFixture.create();
  const store = await openStore(database, owner);
  return { owner, store, manager: asManager(owner) };
}

/** Generation 1: a device, and certificates 0 to 2 under `token(1)`. */
export async function withState(database: Database) {
  const { owner, store, manager } = await fresh(database);
  const device = await owner.device();
  const rows = [0, 1, 2].map((number) => rawRow(2, token(1), number));
  const body = pushBody(owner);
  const chunk = { rows: [deviceRow(device), ...rows] };
  const head = await pushRows(store, owner, { body, chunk, tables: counts(1, 3), previous: null });
  return { owner, store, manager, device, rows, head };
}

/** The body of a delta on generation 1. */
export function delta(owner: OwnerFixture, fields: Partial<PushBody> = {}): PushBody {
  return pushBody(owner, { base: 1, full: false, ...fields });
}

/** The certificates under `token(1)`, as the device sees them. */
export async function seen(store: EdgeStore, owner: OwnerFixture, device: DeviceFixture): Promise<Bytes[]> {
  const request = { table: 2, epoch: 1, token: token(1), from: 0, limit: 100 } as const;
  return [...(await store.rows(asDevice(owner, device), request, NOW)).rows];
}

/** Commits generation 2 with these counts. */
export async function commit(
  { owner, store, head }: { owner: OwnerFixture; store: EdgeStore; head: HeadFixture },
  id: Bytes,
  tables: Head["tables"],
  epoch = 1,
): Promise<number> {
  const next = await owner.head({ generation: 2, previous: head.hash, epoch, tables });
  return await store.commit(asManager(owner), id, { heads: [next.signed], statements: [] }, NOW);
}

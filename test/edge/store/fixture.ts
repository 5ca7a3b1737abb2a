/** Stores, owners and made-up rows for the tests of the edge's store. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import type { ChunkBody } from "../../../edge/store/push/chunk_checks.ts";
import { devicePrincipal, managerPrincipal, type Principal } from "../../../edge/store/principal.ts";
import type { PushBody } from "../../../edge/store/push/state.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { EMPTY_ROOT } from "../../../shared/merkle/tree_hash.ts";
import { deviceExtra, type DeviceFixture, type HeadFixture, NOW, type OwnerFixture } from "../../fixtures/owner.ts";
import type { NodesFixture } from "../../fixtures/nodes.ts";
import type { PreparedPush } from "../../fixtures/pushes.ts";

const HOUR = 3_600_000;

/** A session of the owner's manager, under the statement in force. */
export function asManager(owner: OwnerFixture, statement = owner.statement): Principal {
  return managerPrincipal(owner.id, statement, { session: webCryptoRandom(16), expires: NOW + HOUR });
}

/** A session of a device. */
export function asDevice(owner: OwnerFixture, { id, registration }: DeviceFixture): Principal {
  return devicePrincipal(owner.id, id, registration, { session: webCryptoRandom(16), expires: NOW + HOUR });
}

/** Opens the store and logs managers in, so that it knows their owners. */
export async function openStore(database: Database, ...owners: readonly OwnerFixture[]): Promise<EdgeStore> {
  const store = await EdgeStore.open(database);
  for (const { id } of owners) await store.recordManager(id, webCryptoRandom(32), NOW + HOUR);
  return store;
}

/** A token that is the same for the same number. */
export function token(n: number): Bytes {
  return new Uint8Array(32).fill(n);
}

/** The bytes of a row of the right form that nobody sealed. */
export function rawRow(table: TableNumber, at: Bytes, number: number, size = 100, device?: DeviceFixture): Bytes {
  const extra = device === undefined ? null : deviceExtra(device);
  const clear = extra === null
    ? null
    : [extra.device, extra.registration, extra.publicKey, extra.suite, extra.encapsulated, extra.wrapped];
  return encodeCbor([
    1,
    table,
    at,
    number,
    clear,
    webCryptoRandom(12),
    webCryptoRandom(16 + size),
    webCryptoRandom(32),
  ]);
}

export function deviceRow(device: DeviceFixture): Bytes {
  return rawRow(1, tokenOf(device), 0, 100, device);
}

/** The token under which {@link deviceRow} puts a device. */
export function tokenOf({ id }: DeviceFixture): Bytes {
  const bytes = new Uint8Array(32);
  bytes.set(id);
  return bytes;
}

/** Numbers of rows for a head, whose roots the edge cannot check. */
export function counts(devices: number, certificates = 0, messages = 0, changes = 0): Head["tables"] {
  const state = (count: number) => ({ count, root: EMPTY_ROOT });
  return {
    ...{ devices: state(devices), certificates: state(certificates) },
    ...{ messages: state(messages), changes: state(changes) },
  };
}

/** A push body with a new id. */
export function pushBody(owner: OwnerFixture, fields: Partial<PushBody> = {}): PushBody {
  return {
    ...{ id: webCryptoRandom(16), base: 0, epoch: 1, incarnation: owner.incarnation, full: true, chunks: 1 },
    ...fields,
  };
}

/** Sends one chunk, with the body that a client would send. */
export async function sendChunk(
  store: EdgeStore,
  principal: Principal,
  id: Bytes,
  n: number,
  { rows = [], remove = [] }: Partial<ChunkBody>,
  now = NOW,
): Promise<void> {
  const digest = sha256(encodeCbor({ rows, remove: remove.map((key) => [...key]) }));
  await store.chunk(principal, id, n, digest, { rows, remove }, now);
}

/** Sends one body of nodes. */
export async function sendNodes(
  store: EdgeStore,
  principal: Principal,
  id: Bytes,
  n: number,
  { blocks = [], history = [] }: Partial<NodesFixture>,
  now = NOW,
): Promise<void> {
  const digest = sha256(encodeCbor({ blocks: blocks.map((one) => [...one]), history: history.map((one) => [...one]) }));
  await store.nodes(principal, id, n, digest, { blocks, history }, now);
}

/** A whole push of made-up rows; returns its head. */
export async function pushRows(
  store: EdgeStore,
  owner: OwnerFixture,
  { body, chunk, tables, previous, now = NOW, generation = body.base + 1 }: {
    body: PushBody;
    chunk: Partial<ChunkBody>;
    tables: Head["tables"];
    previous: HeadFixture | null;
    generation?: number;
    now?: number;
  },
): Promise<HeadFixture> {
  const manager = asManager(owner);
  const head = await owner.head({ generation, previous: previous?.hash ?? null, epoch: body.epoch, tables });
  await store.begin(manager, body, now);
  await sendChunk(store, manager, body.id, 0, chunk, now);
  await store.commit(manager, body.id, { heads: [head.signed], statements: [owner.statement.signed] }, now);
  return head;
}

/** Sends a prepared push, all of it. */
export async function send(store: EdgeStore, owner: OwnerFixture, push: PreparedPush, now = NOW): Promise<void> {
  const manager = asManager(owner);
  await store.begin(manager, push.body, now);
  for (const [n, chunk] of push.chunks.entries()) await sendChunk(store, manager, push.body.id, n, chunk, now);
  for (const [n, nodes] of push.nodes.entries()) await sendNodes(store, manager, push.body.id, n, nodes, now);
  await store.commit(manager, push.body.id, push.commit, now);
  push.adopt();
}

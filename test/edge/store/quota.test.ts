/** What one owner may take up of an edge that serves several. */
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { limitText } from "../../../edge/store/checks.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import {
  asManager,
  counts,
  deviceRow,
  openStore,
  pushBody,
  pushRows,
  rawRow,
  sendChunk,
  token,
  tokenOf,
} from "./fixture.ts";

/** What the spaces of an owner count, and what their rows come to. */
async function bytesOf(database: Database, owner: Bytes): Promise<{ counted: number; stored: number }> {
  const sum = async (sql: string) =>
    (await database.execute<{ n: number }>({
      sql: `SELECT IFNULL(SUM(${sql}), 0) AS n FROM ${sql === "bytes" ? "spaces" : "rows"}
        WHERE owner = (SELECT no FROM owners WHERE id = ?)`,
      params: [owner],
    })).rows[0]?.n ?? NaN;
  return { counted: await sum("bytes"), stored: await sum("length(body)") };
}

async function sweep(store: EdgeStore, now: number): Promise<void> {
  for (let i = 0; i < 1_000; i++) if (!(await store.sweep(now)).more) return;
  throw new Error("sweeping does not come to an end");
}

const big = (number: number) => rawRow(2, token(1), number, 100_000);
const sizeOf = (rows: readonly Bytes[]) => rows.reduce((sum, { length }) => sum + length, 0);

onEveryDatabase("quotas", async (t, { database }) => {
  const withOwner = async () => {
    const owner = await OwnerFixture.create();
    return { owner, store: await openStore(database, owner), manager: asManager(owner) };
  };

  await t.step("PUSH-01: begin() is rate_limited when many pushes were given up within ten minutes", async () => {
    const { owner, store, manager } = await withOwner();
    const other = await withOwner();
    let now = NOW;
    // The first is discarded by the second, and so on; half of them are given up in so many words.
    for (let i = 0; i < LIMITS.maxPushesGivenUp; i++) {
      const body = pushBody(owner, { epoch: i + 1 });
      await store.begin(manager, body, now++);
      if (i % 2 === 0) await store.abort(manager, body.id, now++);
    }
    // The one that is open is discarded by this one, and is the last.
    const last = pushBody(owner, { epoch: 100 });
    await store.begin(manager, last, now);
    const next = pushBody(owner, { epoch: 101 });
    const refused = await assertRejects(() => store.begin(manager, next, now), "rate_limited");
    assert(limitText(refused)?.startsWith("Too many pushes"), limitText(refused));
    assertEquals(await store.begin(manager, last, now), []);
    await other.store.begin(other.manager, pushBody(other.owner), now);
    // Whether anybody sweeps or not.
    await store.begin(manager, next, now + LIMITS.pushMemoryMillis);
  });

  await t.step("PUSH-01: begin() counts no push that was committed", async () => {
    const { owner, store } = await withOwner();
    let head = null;
    for (let base = 0; base < LIMITS.maxPushesGivenUp + 2; base++) {
      const body = pushBody(owner, { base, epoch: base + 1 });
      head = await pushRows(store, owner, { body, chunk: {}, tables: counts(0), previous: head });
    }
  });

  await t.step("PUSH-12: takeChunk() is too_large when the owner's rows would take up more than they may", async () => {
    const { owner, manager } = await withOwner();
    const rows = [1, 2, 3].map(big);
    const store = await EdgeStore.open(database, { ownerBytes: sizeOf(rows) });
    const body = pushBody(owner, { chunks: 4 });
    await store.begin(manager, body, NOW);
    const chunk = (n: number, rows: readonly Bytes[]) => {
      const digest = sha256(encodeCbor({ rows: [...rows], remove: [] }));
      return store.chunk(manager, body.id, n, digest, { rows, remove: [] }, NOW);
    };
    await chunk(0, rows.slice(0, 2));
    const more = await assertRejects(() => chunk(1, [big(4), big(5)]), "too_large");
    assert(limitText(more)?.includes("POSTERN_OWNER_BYTES"), limitText(more));
    await chunk(1, rows.slice(2));
    assertEquals(await bytesOf(database, owner.id), { counted: sizeOf(rows), stored: sizeOf(rows) });
    await assertRejects(() => chunk(2, [rawRow(2, token(2), 0, 4)]), "too_large");
    // What is there already takes up nothing more, nor does a chunk without rows.
    await chunk(0, rows.slice(0, 2));
    await chunk(2, []);
    const other = await withOwner();
    const theirs = pushBody(other.owner);
    await store.begin(other.manager, theirs, NOW);
    await sendChunk(store, other.manager, theirs.id, 0, { rows: [big(1)] });
    // Once it is given up and swept there is room again.
    await store.abort(manager, body.id, NOW);
    await sweep(store, NOW);
    assertEquals(await bytesOf(database, owner.id), { counted: 0, stored: 0 });
    const again = pushBody(owner, { epoch: 2 });
    await store.begin(manager, again, NOW);
    await sendChunk(store, manager, again.id, 0, { rows });
  });

  await t.step("PUSH-12: bytes are those of all rows, whatever becomes of pushes", async () => {
    const { owner, store, manager } = await withOwner();
    const device = await owner.device();
    const check = async (least: number) => {
      const { counted, stored } = await bytesOf(database, owner.id);
      assertEquals(counted, stored);
      assert(counted >= least, `${counted}`);
    };
    const rows = [deviceRow(device), big(1), big(2)];
    const full = pushBody(owner);
    const head = await pushRows(store, owner, { body: full, chunk: { rows }, tables: counts(1, 2), previous: null });
    await check(200_000);
    const changes = { rows: [big(1), deviceRow(device)], remove: [[2, token(1), 1], [1, tokenOf(device), 0]] } as const;
    const dropped = pushBody(owner, { base: 1, full: false });
    await store.begin(manager, dropped, NOW);
    await sendChunk(store, manager, dropped.id, 0, changes);
    // A chunk that fails counts for nothing.
    await assertRejects(() => sendChunk(store, manager, dropped.id, 0, { rows: [big(7)] }), "conflict");
    await check(300_000);
    const delta = pushBody(owner, { base: 1, full: false });
    const next = await pushRows(store, owner, { body: delta, chunk: changes, tables: counts(1, 2), previous: head });
    await check(300_000);
    const late = NOW + LIMITS.readGraceMillis;
    await sweep(store, late);
    await check(200_000);
    const rotated = pushBody(owner, { base: 2, epoch: 2 });
    const chunk = { rows: [deviceRow(device), big(1)] };
    await pushRows(store, owner, { body: rotated, chunk, tables: counts(1, 1), previous: next, now: late });
    await check(300_000);
    await sweep(store, late + LIMITS.readGraceMillis);
    const { counted } = await bytesOf(database, owner.id);
    await check(100_000);
    assert(counted < 110_000, `${counted}`);
    await store.deleteTables(manager, 1, late);
    await sweep(store, late);
    assertEquals(await bytesOf(database, owner.id), { counted: 0, stored: 0 });
  });
});

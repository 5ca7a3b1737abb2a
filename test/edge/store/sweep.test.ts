/** Sweeping: everything goes once it is past its time, in bounded steps, and nothing goes before. */
import type { Database } from "../../../shared/database/database.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import {
  asDevice,
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
import { handIn, signedSubmission } from "./submission.ts";

const GRACE = LIMITS.readGraceMillis;
const DAY = LIMITS.unnamedPartMillis;

/** Sweeps until nothing is left to do; returns how much each step deleted. */
async function sweepAll(store: EdgeStore, now: number): Promise<number[]> {
  const steps: number[] = [];
  for (let calls = 0; calls < 1_000; calls++) {
    const { deleted, more } = await store.sweep(now);
    assert(deleted <= LIMITS.sweepRows, `a step deleted ${deleted} rows`);
    if (deleted > 0) steps.push(deleted);
    if (!more) return steps;
  }
  throw new Error("sweeping does not come to an end");
}

const TABLES = [
  ...["rows", "devices", "spaces", "generations", "pushes", "push_chunks", "spent_challenges", "ended_sessions"],
  ...["inbox", "inbox_bodies", "inbox_parts", "inbox_part_bodies", "inbox_named"],
] as const;

/** Rows of the owner in each table that has any. */
async function holdings(database: Database, { id }: OwnerFixture): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of TABLES) {
    const { rows: [row] } = await database.execute<{ n: number }>({
      sql: `SELECT COUNT(*) AS n FROM ${table} WHERE owner = (SELECT no FROM owners WHERE id = ?)`,
      params: [id],
    });
    if (row !== undefined && row.n !== 0) found[table] = row.n;
  }
  return found;
}

onEveryDatabase("sweeping", async (t, { database }) => {
  const withState = async (rows = 3) => {
    const owner = await OwnerFixture.create();
    const store = await openStore(database, owner);
    const device = await owner.device();
    const body = pushBody(owner);
    const list = Array.from({ length: rows }, (_, number) => rawRow(2, token(1), number, 1));
    const chunk = { rows: [deviceRow(device), ...list] };
    const head = await pushRows(store, owner, { body, chunk, tables: counts(1, rows), previous: null });
    return { owner, store, manager: asManager(owner), device, list, head };
  };
  const seen = async ({ owner, store, device }: Awaited<ReturnType<typeof withState>>, epoch: number) => {
    const request = { table: 2, epoch, token: token(1), from: 0, limit: 1_000 } as const;
    return (await store.rows(asDevice(owner, device), request, NOW)).rows.length;
  };

  await t.step(
    "STORE-03, PUSH-08: the state before a full push goes in steps, not before the grace is over",
    async () => {
      const state = await withState(900);
      const { owner, store, device, head } = state;
      const rows = [deviceRow(device), rawRow(2, token(1), 0)];
      const body = pushBody(owner, { base: 1, epoch: 2 });
      await pushRows(store, owner, { body, chunk: { rows }, tables: counts(1, 1), previous: head });
      assertEquals(await sweepAll(store, NOW + GRACE - 1), []);
      assertEquals(await seen(state, 1), 900);
      const steps = await sweepAll(store, NOW + GRACE);
      assertEquals([steps.includes(500), steps.includes(401)], [true, true], steps.join());
      assertEquals(await holdings(database, owner), { rows: 2, devices: 1, spaces: 1, generations: 1, ...challenge });
      assertEquals([await seen(state, 2), await sweepAll(store, NOW + GRACE)], [1, []]);
      await assertRejects(() => seen(state, 1), "epoch_gone");
    },
  );

  await t.step("PUSH-08: what deltas removed goes when no generation that saw it is served", async () => {
    const state = await withState();
    const { owner, store, device, list, head } = state;
    const remove = [[2, token(1), 0], [1, tokenOf(device), 0]] as const;
    const again = deviceRow(device);
    await pushRows(store, owner, {
      body: pushBody(owner, { base: 1, full: false }),
      chunk: { rows: [again], remove },
      tables: counts(1, 2),
      previous: head,
    });
    const before = { table: 2, epoch: 1, at: 1, after: null, limit: 9 } as const;
    assertEquals(await sweepAll(store, NOW + GRACE - 1), []);
    assertEquals((await store.table(asDevice(owner, device), before, NOW)).rows, list);
    await sweepAll(store, NOW + GRACE);
    const { rows, devices, generations } = await holdings(database, owner);
    assertEquals([rows, devices, generations], [3, 1, 1]);
    assertEquals((await store.record(asDevice(owner, device))).record, again);
    // Whatever a reader's clock says, a generation whose rows may be gone is not served.
    await assertRejects(() => store.table(asDevice(owner, device), before, NOW), "epoch_gone");
    assertEquals(await seen(state, 1), 2);
  });

  await t.step(
    "PUSH-08: a push idle for an hour is discarded, undone, and forgotten after ten minutes more",
    async () => {
      const state = await withState();
      const { owner, store, manager } = state;
      const body = pushBody(owner, { base: 1, full: false, chunks: 2 });
      await store.begin(manager, body, NOW);
      const rows = Array.from({ length: 700 }, (_, number) => rawRow(2, token(2), number, 1));
      const device = await owner.device();
      await sendChunk(store, manager, body.id, 0, { rows: [...rows, deviceRow(device)], remove: [[2, token(1), 0]] });
      await sweepAll(store, NOW + LIMITS.pushIdleMillis - 1);
      assertEquals((await store.state(manager, NOW))?.received, [{ first: 0, last: 0 }]);
      await sweepAll(store, NOW + LIMITS.pushIdleMillis);
      assertEquals(await store.state(manager, NOW), null);
      const { rows: left, devices, pushes } = await holdings(database, owner);
      assertEquals([left, devices, pushes, await seen(state, 1)], [4, 1, 1, 3]);
      const over = NOW + LIMITS.pushIdleMillis + LIMITS.pushMemoryMillis;
      await assertRejects(() => store.abort(manager, webCryptoRandom(16), over), "not_found");
      await sweepAll(store, over - 1);
      await store.abort(manager, body.id, over);
      await sweepAll(store, over);
      await assertRejects(() => store.abort(manager, body.id, over), "not_found");
      assertEquals((await holdings(database, owner))["push_chunks"], undefined);
    },
  );

  await t.step("STORE-03: a discarded full push goes at once, and its chunks after ten minutes", async () => {
    const state = await withState();
    const { owner, store, manager } = state;
    const body = pushBody(owner, { base: 1, epoch: 2 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, { rows: [rawRow(2, token(2), 1)] });
    assertEquals(await sweepAll(store, NOW), []);
    const another = pushBody(owner, { base: 1, epoch: 2 });
    await store.begin(manager, another, NOW);
    await sendChunk(store, manager, another.id, 0, { rows: [rawRow(2, token(2), 1)] });
    await store.abort(manager, another.id, NOW);
    await sweepAll(store, NOW);
    const { rows, spaces, push_chunks } = await holdings(database, owner);
    assertEquals([rows, spaces, push_chunks], [4, 1, 3]);
    await sweepAll(store, NOW + LIMITS.pushMemoryMillis);
    assertEquals(await holdings(database, owner), { rows: 4, devices: 1, spaces: 1, generations: 1, ...challenge });
  });

  await t.step("PUSH-09: after deleteTables() everything that was pushed goes", async () => {
    const { owner, store, manager } = await withState();
    const open = pushBody(owner, { base: 1, full: false });
    await store.begin(manager, open, NOW);
    await sendChunk(store, manager, open.id, 0, { rows: [rawRow(2, token(2), 1)], remove: [[2, token(1), 1]] });
    await store.deleteTables(manager, 1, NOW);
    await sweepAll(store, NOW + LIMITS.pushMemoryMillis);
    assertEquals(await holdings(database, owner), challenge);
  });

  await t.step("STORE-03: spent challenges and ended sessions stay until they expire", async () => {
    const { owner, store, device } = await withState();
    const [random, session] = [webCryptoRandom(32), asDevice(owner, device)];
    await store.spendChallenge(owner.id, random, NOW + 60_000);
    await store.endSession(session, NOW + 70_000);
    await sweepAll(store, NOW + 59_999);
    assertEquals(await store.spendChallenge(owner.id, random, NOW + 60_000), false);
    await sweepAll(store, NOW + 60_000);
    assertEquals(await store.spendChallenge(owner.id, random, NOW + 60_000), true);
    await assertRejects(() => store.head(session), "unauthorized");
    await sweepAll(store, NOW + 70_000);
    assertEquals((await holdings(database, owner))["ended_sessions"], undefined);
  });

  await t.step("INBOX-04: parts that no submission names go after a day, others with their submission", async () => {
    const { owner, store, device, manager, head } = await withState(0);
    const principal = asDevice(owner, device);
    const [named, unnamed] = [webCryptoRandom(300), webCryptoRandom(300)];
    for (const bytes of [named, unnamed]) await store.putPart(principal, sha256(bytes), bytes, NOW);
    const place = { device: device.id, stream: new Uint8Array(16), number: 1 };
    const parts = [{ hash: sha256(named), size: named.length }];
    const signed = await signedSubmission(owner, device, { ...place, parts });
    await handIn(store, principal, signed);
    await sweepAll(store, NOW + DAY - 1);
    assertEquals(await store.getPart(manager, sha256(unnamed)), unnamed);
    await sweepAll(store, NOW + 9 * DAY);
    await assertRejects(() => store.getPart(manager, sha256(unnamed)), "not_found");
    assertEquals(await store.getPart(manager, sha256(named)), named);
    const acks = [{ ...place, hash: new Uint8Array(32) }];
    const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(1), acks });
    const body = pushBody(owner, { base: 1, full: false, chunks: 0 });
    const late = NOW + 10 * DAY;
    await store.begin(manager, body, late);
    await store.commit(manager, body.id, { heads: [next.signed], statements: [] }, late);
    await sweepAll(store, late + LIMITS.inboxMemoryMillis - 1);
    // spec: SESS-12: what was acknowledged is known for as long as its request could be repeated.
    await handIn(store, principal, signed);
    assertEquals((await store.list(manager, 0, 9)).entries, []);
    await sweepAll(store, late + LIMITS.inboxMemoryMillis);
    const left = await holdings(database, owner);
    const inbox = Object.keys(left).filter((table) => table.startsWith("inbox"));
    assertEquals(inbox, []);
    const { rows } = await database.execute<{ submissions: number; bytes: number }>({
      sql: "SELECT submissions, bytes FROM inbox_usage WHERE owner = (SELECT no FROM owners WHERE id = ?)",
      params: [owner.id],
    });
    assertEquals(rows.map((row) => ({ ...row })), [{ submissions: 0, bytes: 0 }]);
  });

  await t.step("two that sweep at once delete each thing once and come to an end", async () => {
    const { owner, store, manager } = await withState(900);
    await store.deleteTables(manager, 1, NOW);
    const other = await openStore(database);
    await Promise.all([sweepAll(store, NOW + GRACE), sweepAll(other, NOW + GRACE)]);
    assertEquals(await holdings(database, owner), challenge);
  });
});

/** The one of the manager's login, in an hour. */
const challenge = { spent_challenges: 1 };

/** Pushes: what the commit takes and refuses, that it is one step, and the ends that are no commit. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { type HeadFixture, NOW, signingKey } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import {
  asDevice,
  asManager,
  counts,
  deviceRow,
  pushBody,
  pushRows,
  rawRow,
  sendChunk,
  token,
  tokenOf,
} from "./fixture.ts";
import { commit, delta, seen, withState } from "./push_scene.ts";

const IDLE = LIMITS.pushIdleMillis;

onEveryDatabase("ending a push", async (t, { database }) => {
  await t.step("PUSH-03: a row is replaced by removing and adding it, in any order of chunks", async () => {
    for (const order of [[0, 1], [1, 0]]) {
      const { owner, store, manager, device, rows, head } = await withState(database);
      const body = delta(owner, { chunks: 2 });
      await store.begin(manager, body, NOW);
      const replaced = rawRow(2, token(1), 1);
      const again = deviceRow(device);
      const chunks = [
        { rows: [replaced, again] },
        { remove: [[2, token(1), 1], [1, tokenOf(device), 0]] as const },
      ];
      for (const n of order) await sendChunk(store, manager, body.id, n, chunks[n] ?? {});
      await commit({ owner, store, head }, body.id, counts(1, 3));
      assertEquals(await seen(store, owner, device), [rows[0], replaced, rows[2]] as Bytes[]);
      assertEquals((await store.record(asDevice(owner, device))).record, again);
    }
  });

  await t.step("PUSH-03: removing what is not there, or adding what is there, is conflict at the commit", async () => {
    // With the counts that would fit, if there were any, and with those from before.
    for (
      const [chunk, tables] of [
        [{ remove: [[2, token(1), 9]] }, counts(1, 2)],
        [{ remove: [[2, token(1), 0], [2, token(1), 0]] }, counts(1, 1)],
        [{ remove: [[3, token(1), 0]] }, null],
        [{ rows: [rawRow(2, token(1), 0)] }, counts(1, 4)],
        [{ rows: [rawRow(2, token(1), 0)], remove: [[2, token(1), 1]] }, counts(1, 3)],
      ] as const
    ) {
      const { owner, store, manager, device, rows, head } = await withState(database);
      const body = delta(owner);
      await store.begin(manager, body, NOW);
      await sendChunk(store, manager, body.id, 0, chunk);
      if (tables !== null) await assertRejects(() => commit({ owner, store, head }, body.id, tables), "conflict");
      await assertRejects(() => commit({ owner, store, head }, body.id, counts(1, 3)), "conflict");
      assertEquals(await seen(store, owner, device), rows);
    }
  });

  await t.step("PUSH-03: a full push has nothing to remove", async () => {
    const { owner, store, manager, head } = await withState(database);
    const body = pushBody(owner, { base: 1, epoch: 2 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, { rows: [rawRow(2, token(1), 0)], remove: [[2, token(1), 0]] });
    await assertRejects(() => commit({ owner, store, head }, body.id, counts(0, 0), 2), "conflict");
    await assertRejects(() => commit({ owner, store, head }, body.id, counts(0, 1), 2), "conflict");
  });

  await t.step("PUSH-04: nothing of a push shows before its commit, and all of it after", async () => {
    const { owner, store, manager, device, rows, head } = await withState(database);
    const coming = await owner.device("new");
    const body = delta(owner);
    await store.begin(manager, body, NOW);
    const row = rawRow(2, token(1), 3);
    const remove = [[2, token(1), 0], [1, tokenOf(device), 0]] as const;
    await sendChunk(store, manager, body.id, 0, { rows: [row, deviceRow(coming)], remove });
    assertEquals(await seen(store, owner, device), rows);
    assertEquals(await store.loginData(owner.id, coming.id), null);
    await assertRejects(() => store.head(asDevice(owner, coming)), "unauthorized");
    const page = { table: 2, epoch: 1, at: 1, after: null, limit: 9 } as const;
    assertEquals((await store.table(asDevice(owner, device), page, NOW)).rows, rows);
    await assertRejects(() => store.table(asDevice(owner, device), { ...page, at: 2 }, NOW), "conflict");
    await commit({ owner, store, head }, body.id, counts(1, 3));
    assertEquals(await seen(store, owner, coming), [...rows.slice(1), row]);
    await assertRejects(() => store.head(asDevice(owner, device)), "unauthorized");
    assertEquals(await store.loginData(owner.id, device.id), null);
  });

  await t.step("PUSH-05: commit() needs all chunks and the counts of the new state, table by table", async () => {
    const { owner, store, manager, head } = await withState(database);
    const body = delta(owner, { chunks: 2 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 1, { rows: [rawRow(3, token(2), 0), rawRow(4, token(2), 0)] });
    await assertRejects(() => commit({ owner, store, head }, body.id, counts(1, 3, 1, 1)), "conflict");
    await sendChunk(store, manager, body.id, 0, {});
    for (
      const tables of [counts(1, 3), counts(0, 3, 1, 1), counts(1, 2, 1, 1), counts(1, 3, 2, 1), counts(1, 3, 1, 0)]
    ) {
      await assertRejects(() => commit({ owner, store, head }, body.id, tables), "conflict");
    }
    assertEquals(await commit({ owner, store, head }, body.id, counts(1, 3, 1, 1)), 2);
  });

  await t.step("PUSH-05: commit() adopts the last of several heads, and their newest statement", async () => {
    const { owner, store, head, device, rows } = await withState(database);
    const one = await owner.head({ generation: 2, previous: head.hash, tables: counts(9) });
    const statement = await owner.restate({ manager: await signingKey("ES256") });
    const two = await owner.head({ generation: 3, previous: one.hash, tables: counts(1, 3) });
    const manager = asManager(owner);
    const body = delta(owner, { chunks: 0 });
    await store.begin(manager, body, NOW);
    const commitBody = { heads: [one.signed, two.signed], statements: [statement.signed] };
    assertEquals(await store.commit(manager, body.id, commitBody, NOW), 3);
    assertEquals(await store.publicStatement(owner.id), statement.signed);
    assertEquals(await store.head(asDevice(owner, device)), {
      generation: 3,
      epoch: 1,
      head: two.signed,
      history: null,
    });
    const page = { table: 2, epoch: 1, after: null, limit: 9 } as const;
    assertEquals((await store.table(asDevice(owner, device), { ...page, at: 3 }, NOW)).rows, rows);
    await assertRejects(() => store.table(asDevice(owner, device), { ...page, at: 2 }, NOW), "epoch_gone");
  });

  await t.step(
    "PUSH-06: the same commit again is success, also when many run at once; another is conflict",
    async () => {
      const { owner, store, manager, head } = await withState(database);
      const body = delta(owner);
      await store.begin(manager, body, NOW);
      await sendChunk(store, manager, body.id, 0, { remove: [[2, token(1), 0]] });
      const [mine, other] = await Promise.all([
        owner.head({ generation: 2, previous: head.hash, tables: counts(1, 2) }),
        owner.head({ generation: 2, previous: head.hash, tables: counts(1, 2), time: NOW + 1 }),
      ]);
      const tryOne = ({ signed }: HeadFixture) =>
        store.commit(asManager(owner), body.id, { heads: [signed], statements: [] }, NOW);
      const outcomes = await Promise.allSettled([mine, mine, other, mine, other].map(tryOne));
      const winner = (await store.head(manager)).head;
      const won = outcomes.map(({ status }) => status === "fulfilled");
      const isMine = winner?.every((byte, i) => byte === mine.signed[i]) ?? false;
      assertEquals(won, [mine, mine, other, mine, other].map((head) => (head === mine) === isMine));
      assertEquals(await tryOne(isMine ? mine : other), 2);
      await assertRejects(() => tryOne(isMine ? other : mine), "conflict");
      await assertRejects(() => store.begin(manager, body, NOW), "conflict");
      await assertRejects(() => store.abort(manager, body.id, NOW), "conflict");
      assertEquals((await store.head(manager)).generation, 2);
    },
  );

  await t.step("PUSH-08: a push that was not touched for an hour is no longer open", async () => {
    const { owner, store, manager, head } = await withState(database);
    const body = delta(owner, { chunks: 2 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, {}, NOW + IDLE - 1);
    assertEquals((await store.state(manager, NOW + 2 * IDLE - 2))?.received, [{ first: 0, last: 0 }]);
    const late = NOW + 2 * IDLE - 1;
    assertEquals(await store.state(manager, late), null);
    await assertRejects(() => sendChunk(store, manager, body.id, 1, {}, late), "conflict");
    await assertRejects(() => store.begin(manager, body, late), "conflict");
    const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(1, 3) });
    const commitBody = { heads: [next.signed], statements: [] };
    await assertRejects(() => store.commit(manager, body.id, commitBody, late), "conflict");
    assertEquals(await store.begin(manager, delta(owner), late), []);
  });

  await t.step("abort() gives a push up, also twice, and an unknown one is not_found", async () => {
    const { owner, store, manager, device, rows } = await withState(database);
    const body = delta(owner);
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, { remove: [[2, token(1), 0]] });
    await store.abort(manager, body.id, NOW);
    await store.abort(manager, body.id, NOW);
    assertEquals(await store.state(manager, NOW), null);
    await assertRejects(() => sendChunk(store, manager, body.id, 0, {}), "conflict");
    await assertRejects(() => store.abort(manager, webCryptoRandom(16), NOW), "not_found");
    assertEquals(await seen(store, owner, device), rows);
  });

  await t.step(
    "PUSH-09: deleteTables() leaves statement and number, ends devices, and a full push with base 0 follows",
    async () => {
      const { owner, store, manager, device } = await withState(database);
      const open = delta(owner);
      await store.begin(manager, open, NOW);
      await store.deleteTables(manager, 3, NOW);
      assertEquals(await store.head(manager), { generation: 0, epoch: 0, head: null, history: null });
      assertEquals(await store.publicStatement(owner.id), owner.statement.signed);
      assertEquals(await store.loginData(owner.id, device.id), null);
      await assertRejects(() => store.head(asDevice(owner, device)), "unauthorized");
      await assertRejects(
        () => store.rows(manager, { table: 2, epoch: 1, token: token(1), from: 0, limit: 1 }, NOW),
        "epoch_gone",
      );
      await assertRejects(() => store.deleteTables(manager, 2, NOW), "conflict");
      await assertRejects(() => sendChunk(store, manager, open.id, 0, {}), "conflict");
      await assertRejects(() => store.begin(manager, delta(owner), NOW), "conflict");
      const rows = [rawRow(2, token(1), 0)];
      await pushRows(store, owner, {
        body: pushBody(owner),
        chunk: { rows: [deviceRow(device), ...rows] },
        tables: counts(1, 1),
        previous: null,
        generation: 40,
      });
      assertEquals(await seen(store, owner, device), rows);
      await assertRejects(() => store.deleteTables(manager, 3, NOW), "conflict");
      await store.deleteTables(manager, 4, NOW);
    },
  );

  await t.step("PUSH-09, SESS-12: deleteTables() has no further effect when it is repeated", async () => {
    const { owner, store, manager } = await withState(database);
    await store.deleteTables(manager, 3, NOW);
    await store.deleteTables(manager, 3, NOW);
    const next = pushBody(owner);
    await store.begin(manager, next, NOW);
    await sendChunk(store, manager, next.id, 0, { rows: [rawRow(2, token(1), 0)] });
    await store.deleteTables(manager, 3, NOW + 1);
    assertEquals((await store.state(manager, NOW))?.received, [{ first: 0, last: 0 }]);
    await store.deleteTables(manager, 4, NOW);
    assertEquals(await store.state(manager, NOW), null);
  });

  await t.step("STORE-02: pushes of two owners with the same id do not touch each other", async () => {
    const [a, b] = [await withState(database), await withState(database)];
    const bodies = [delta(a.owner), delta(b.owner)] as const;
    const other = { ...bodies[1], id: bodies[0].id };
    await a.store.begin(a.manager, bodies[0], NOW);
    await b.store.begin(b.manager, other, NOW);
    await sendChunk(a.store, a.manager, other.id, 0, { remove: [[2, token(1), 0]] });
    assertEquals((await b.store.state(b.manager, NOW))?.received, []);
    await a.store.abort(a.manager, other.id, NOW);
    await sendChunk(b.store, b.manager, other.id, 0, { remove: [[2, token(1), 1]] });
    await commit(b, other.id, counts(1, 2));
    assertEquals(await seen(b.store, b.owner, b.device), [b.rows[0], b.rows[2]] as Bytes[]);
    assertEquals(await seen(a.store, a.owner, a.device), a.rows);
    await b.store.deleteTables(b.manager, 1, NOW);
    assertEquals(await seen(a.store, a.owner, a.device), a.rows);
  });
});

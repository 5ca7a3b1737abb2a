/** Pushes: who may push, what may begin, and what a chunk may hold. */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { NOW } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import { asDevice, asManager, counts, deviceRow, pushBody, rawRow, sendChunk, token } from "./fixture.ts";
import { commit, delta, fresh, seen, withState } from "./push_scene.ts";

onEveryDatabase("beginning a push, and its chunks", async (t, { database }) => {
  await t.step("a device is forbidden everything that pushes or deletes", async () => {
    const { owner, store, device } = await withState(database);
    const principal = asDevice(owner, device);
    const body = delta(owner);
    await assertRejects(() => store.begin(principal, body, NOW), "forbidden");
    await assertRejects(() => store.state(principal, NOW), "forbidden");
    await assertRejects(() => sendChunk(store, principal, body.id, 0, {}), "forbidden");
    const page = { id: body.id, table: 2, after: null, limit: 9 } as const;
    await assertRejects(() => store.pushed(principal, page, NOW), "forbidden");
    await assertRejects(() => store.commit(principal, body.id, { heads: [], statements: [] }, NOW), "forbidden");
    await assertRejects(() => store.abort(principal, body.id, NOW), "forbidden");
    await assertRejects(() => store.deleteTables(principal, 1, NOW), "forbidden");
  });

  await t.step("every step of a push is unauthorized when the manager's session has ended", async () => {
    const { owner, store, manager, head } = await withState(database);
    const body = delta(owner);
    await store.begin(manager, body, NOW);
    await store.endSession(manager, manager.expires);
    const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(1, 3) });
    await assertRejects(() => store.begin(manager, body, NOW), "unauthorized");
    await assertRejects(() => store.begin(manager, delta(owner), NOW), "unauthorized");
    await assertRejects(() => store.state(manager, NOW), "unauthorized");
    await assertRejects(() => sendChunk(store, manager, body.id, 0, {}), "unauthorized");
    const page = { id: body.id, table: 2, after: null, limit: 9 } as const;
    await assertRejects(() => store.pushed(manager, page, NOW), "unauthorized");
    const commitBody = { heads: [next.signed], statements: [] };
    await assertRejects(() => store.commit(manager, body.id, commitBody, NOW), "unauthorized");
    await assertRejects(() => store.abort(manager, body.id, NOW), "unauthorized");
    await assertRejects(() => store.deleteTables(manager, 1, NOW), "unauthorized");
    assertEquals((await store.state(asManager(owner), NOW))?.received, []);
  });

  await t.step("PUSH-01: begin() refuses what does not continue what the edge holds", async () => {
    const first = await fresh(database);
    for (const fields of [{ base: 1 }, { full: false }, { full: false, base: 1 }]) {
      await assertRejects(() => first.store.begin(first.manager, pushBody(first.owner, fields), NOW), "conflict");
    }
    const { owner, store, manager } = await withState(database);
    for (
      const fields of [
        { base: 0 },
        { base: 2 },
        { epoch: 2 },
        { incarnation: webCryptoRandom(16) },
        { full: true, epoch: 1 },
        { full: true, epoch: 2, base: 0 },
      ]
    ) {
      const body = delta(owner, fields);
      await assertRejects(() => store.begin(manager, body, NOW), "conflict");
    }
    assertEquals(await store.state(manager, NOW), null);
    assertEquals(await store.begin(manager, delta(owner, { full: true, epoch: 7 }), NOW), []);
  });

  await t.step(
    "PUSH-01: begin() with the same id and body answers what has arrived, with another body conflict",
    async () => {
      const { owner, store, manager } = await fresh(database);
      const body = pushBody(owner, { chunks: 9 });
      assertEquals(await store.begin(manager, body, NOW), []);
      for (const n of [0, 1, 2, 5, 7, 8]) await sendChunk(store, manager, body.id, n, {});
      const received = [{ first: 0, last: 2 }, { first: 5, last: 5 }, { first: 7, last: 8 }];
      assertEquals(await store.begin(manager, body, NOW), received);
      assertEquals(await store.state(manager, NOW), { ...body, received });
      for (const fields of [{ chunks: 8 }, { full: false }, { epoch: 2 }, { incarnation: webCryptoRandom(16) }]) {
        await assertRejects(() => store.begin(manager, { ...body, ...fields }, NOW), "conflict");
      }
    },
  );

  await t.step("PUSH-01: another push discards the one that is open, whose id is conflict from then on", async () => {
    const { owner, store, manager, device, rows, head } = await withState(database);
    const added = rawRow(2, token(1), 3);
    const old = delta(owner);
    await store.begin(manager, old, NOW);
    await sendChunk(store, manager, old.id, 0, { rows: [added], remove: [[2, token(1), 0]] });
    const body = delta(owner);
    assertEquals(await store.begin(manager, body, NOW), []);
    await assertRejects(() => store.begin(manager, old, NOW), "conflict");
    await assertRejects(() => sendChunk(store, manager, old.id, 0, {}), "conflict");
    await assertRejects(() => commit({ owner, store, head }, old.id, counts(1, 3)), "conflict");
    await store.abort(manager, old.id, NOW);
    // The same changes again, which the discarded push must not stand in the way of, nor shine through.
    await sendChunk(store, manager, body.id, 0, { rows: [added], remove: [[2, token(1), 1]] });
    assertEquals(await commit({ owner, store, head }, body.id, counts(1, 3)), 2);
    assertEquals(await seen(store, owner, device), [rows[0], rows[2], added] as Bytes[]);
  });

  await t.step("PUSH-01: a discarded delta of many rows is undone before the next one begins", async () => {
    const { owner, store, manager, device, rows, head } = await withState(database);
    const old = delta(owner, { chunks: 2 });
    await store.begin(manager, old, NOW);
    for (const n of [0, 1]) {
      const many = Array.from({ length: 700 }, (_, i) => rawRow(2, token(1), 10 + n * 700 + i, 1));
      await sendChunk(store, manager, old.id, n, { rows: many });
    }
    const body = delta(owner);
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, { remove: [[2, token(1), 2]] });
    await commit({ owner, store, head }, body.id, counts(1, 2));
    assertEquals(await seen(store, owner, device), rows.slice(0, 2));
  });

  await t.step("PUSH-21: pushed() shows the manager what a full push has brought so far, page by page", async () => {
    const { owner, store, manager } = await withState(database);
    const body = delta(owner, { full: true, epoch: 2, chunks: 2 });
    await store.begin(manager, body, NOW);
    const rows = [0, 1, 2].map((number) => rawRow(2, token(7), number));
    const read = (after: Bytes | null, limit: number) =>
      store.pushed(manager, { id: body.id, table: 2, after, limit }, NOW);
    assertEquals(await read(null, 9), { rows: [], next: null });
    await sendChunk(store, manager, body.id, 1, { rows: rows.slice(1) });
    assertEquals((await read(null, 9)).rows, rows.slice(1));
    await sendChunk(store, manager, body.id, 0, { rows: rows.slice(0, 1) });
    const { rows: first, next } = await read(null, 2);
    assertEquals(first, rows.slice(0, 2));
    assertEquals(await read(next, 2), { rows: rows.slice(2), next: null });
    await assertRejects(() => read(new Uint8Array(39), 2), "malformed");
  });

  await t.step(
    "PUSH-21: pushed() throws conflict for a delta and a push that is over, not_found for none",
    async () => {
      const { owner, store, manager } = await withState(database);
      const read = (id: Bytes, now = NOW) => store.pushed(manager, { id, table: 2, after: null, limit: 9 }, now);
      await assertRejects(() => read(delta(owner).id), "not_found");
      const [change, full] = [delta(owner), delta(owner, { full: true, epoch: 2 })];
      await store.begin(manager, change, NOW);
      await assertRejects(() => read(change.id), "conflict");
      await store.begin(manager, full, NOW);
      await assertRejects(() => read(full.id, NOW + LIMITS.pushIdleMillis), "conflict");
      await store.abort(manager, full.id, NOW);
      await assertRejects(() => read(full.id), "conflict");
    },
  );

  await t.step(
    "PUSH-02: chunks come in any order and together; again is no effect, other bytes are conflict",
    async () => {
      const { owner, store, manager } = await fresh(database);
      const device = await owner.device();
      const body = pushBody(owner, { chunks: 4 });
      await store.begin(manager, body, NOW);
      const rows = [0, 1, 2].map((number) => rawRow(2, token(1), number));
      const chunks = [[deviceRow(device)], ...rows.map((row) => [row])].map((rows) => ({ rows }));
      const order = [2, 0, 3, 1, 2, 0];
      await Promise.all(order.map((n) => sendChunk(store, manager, body.id, n, chunks[n] ?? {})));
      await assertRejects(() => sendChunk(store, manager, body.id, 1, chunks[2] ?? {}), "conflict");
      await assertRejects(() => sendChunk(store, manager, body.id, 4, {}), "malformed");
      await assertRejects(() => sendChunk(store, manager, webCryptoRandom(16), 0, {}), "not_found");
      const head = await owner.head({ generation: 1, previous: null, tables: counts(1, 3) });
      const commitBody = { heads: [head.signed], statements: [owner.statement.signed] };
      assertEquals(await store.commit(manager, body.id, commitBody, NOW), 1);
      assertEquals(await seen(store, owner, device), rows);
      await assertRejects(() => sendChunk(store, manager, body.id, 1, chunks[1] ?? {}), "conflict");
    },
  );

  await t.step("PUSH-02: a chunk with a bad row changes nothing at all", async () => {
    const { owner, store, manager } = await fresh(database);
    const device = await owner.device();
    const body = pushBody(owner);
    await store.begin(manager, body, NOW);
    const good = rawRow(2, token(1), 0);
    const p256Signing = { ...device, signing: { ...device.signing, publicKey: new Uint8Array(44) } };
    for (
      const [row, code] of [
        [good.slice(0, -1), "malformed"],
        [concat(good, new Uint8Array(1)), "malformed"],
        [encodeCbor([1, 2, token(1), 0, null]), "malformed"],
        [new Uint8Array(LIMITS.maxRowBytes + 1), "too_large"],
        [deviceRow(p256Signing), "malformed"],
        [rawRow(2, token(1), 0), "conflict"],
      ] as const
    ) {
      await assertRejects(() => sendChunk(store, manager, body.id, 0, { rows: [good, row] }), code);
    }
    assertEquals((await store.state(manager, NOW))?.received, []);
    await sendChunk(store, manager, body.id, 0, { rows: [good] });
  });

  await t.step(
    "PUSH-02, KEY-01: a device key that no login could be verified with is refused, others are taken",
    async () => {
      const { owner, store, manager } = await fresh(database);
      const x25519 = new Uint8Array([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0, ...webCryptoRandom(32)]);
      const device = await owner.device();
      const sealing = { ...device, signing: { ...device.signing, publicKey: x25519 } };
      const body = pushBody(owner);
      await store.begin(manager, body, NOW);
      await assertRejects(() => sendChunk(store, manager, body.id, 0, { rows: [deviceRow(sealing)] }), "malformed");
      const p256 = await owner.device("p256", "ES256");
      await sendChunk(store, manager, body.id, 0, { rows: [deviceRow(device), deviceRow(p256)] });
    },
  );

  await t.step(
    "PUSH-02: a second row of one device is conflict in the chunk, the push, and the new state",
    async () => {
      const { owner, store, manager, device, head } = await withState(database);
      const elsewhere = rawRow(1, token(9), 0, 1, device);
      const full = pushBody(owner, { base: 1, epoch: 2, chunks: 2 });
      await store.begin(manager, full, NOW);
      const both = { rows: [deviceRow(device), elsewhere] };
      await assertRejects(() => sendChunk(store, manager, full.id, 0, both), "conflict");
      await sendChunk(store, manager, full.id, 0, { rows: [deviceRow(device)] });
      await assertRejects(() => sendChunk(store, manager, full.id, 1, { rows: [elsewhere] }), "conflict");
      const body = delta(owner);
      await store.begin(manager, body, NOW);
      await sendChunk(store, manager, body.id, 0, { rows: [elsewhere] });
      await assertRejects(() => commit({ owner, store, head }, body.id, counts(2, 3)), "conflict");
    },
  );
});

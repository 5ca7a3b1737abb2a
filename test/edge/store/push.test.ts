/** Pushes: what may begin, what a chunk may hold, that nothing shows before the commit, and that the commit is one step. */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { type DeviceFixture, type HeadFixture, NOW, OwnerFixture, signingKey } from "../../fixtures/owner.ts";
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

const IDLE = LIMITS.pushIdleMillis;

onEveryDatabase("pushes", async (t, { database }) => {
  const fresh = async () => {
    const owner = await OwnerFixture.create();
    const store = await openStore(database, owner);
    return { owner, store, manager: asManager(owner) };
  };
  /** Generation 1: a device and certificates 0 to 2 under token(1). */
  const withState = async () => {
    const { owner, store, manager } = await fresh();
    const device = await owner.device();
    const rows = [0, 1, 2].map((number) => rawRow(2, token(1), number));
    const body = pushBody(owner);
    const chunk = { rows: [deviceRow(device), ...rows] };
    const head = await pushRows(store, owner, { body, chunk, tables: counts(1, 3), previous: null });
    return { owner, store, manager, device, rows, head };
  };
  const delta = (owner: OwnerFixture, fields = {}) => pushBody(owner, { base: 1, full: false, ...fields });
  const seen = async (store: EdgeStore, owner: OwnerFixture, device: DeviceFixture, epoch = 1): Promise<Bytes[]> => {
    const request = { table: 2, epoch, token: token(1), from: 0, limit: 100 } as const;
    return [...(await store.rows(asDevice(owner, device), request, NOW)).rows];
  };
  /** A commit of generation 2 with these counts. */
  const commit = async (
    { owner, store, head }: { owner: OwnerFixture; store: EdgeStore; head: HeadFixture },
    id: Bytes,
    tables: ReturnType<typeof counts>,
    epoch = 1,
  ) => {
    const next = await owner.head({ generation: 2, previous: head.hash, epoch, tables });
    return await store.commit(asManager(owner), id, { heads: [next.signed], statements: [] }, NOW);
  };

  await t.step("a device is forbidden everything that pushes or deletes", async () => {
    const { owner, store, device } = await withState();
    const principal = asDevice(owner, device);
    const body = delta(owner);
    await assertRejects(() => store.begin(principal, body, NOW), "forbidden");
    await assertRejects(() => store.state(principal, NOW), "forbidden");
    await assertRejects(() => sendChunk(store, principal, body.id, 0, {}), "forbidden");
    await assertRejects(() => store.commit(principal, body.id, { heads: [], statements: [] }, NOW), "forbidden");
    await assertRejects(() => store.abort(principal, body.id, NOW), "forbidden");
    await assertRejects(() => store.deleteTables(principal, 1, NOW), "forbidden");
  });

  await t.step("every step of a push is unauthorized when the manager's session has ended", async () => {
    const { owner, store, manager, head } = await withState();
    const body = delta(owner);
    await store.begin(manager, body, NOW);
    await store.endSession(manager, manager.expires);
    const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(1, 3) });
    await assertRejects(() => store.begin(manager, body, NOW), "unauthorized");
    await assertRejects(() => store.begin(manager, delta(owner), NOW), "unauthorized");
    await assertRejects(() => store.state(manager, NOW), "unauthorized");
    await assertRejects(() => sendChunk(store, manager, body.id, 0, {}), "unauthorized");
    const commitBody = { heads: [next.signed], statements: [] };
    await assertRejects(() => store.commit(manager, body.id, commitBody, NOW), "unauthorized");
    await assertRejects(() => store.abort(manager, body.id, NOW), "unauthorized");
    await assertRejects(() => store.deleteTables(manager, 1, NOW), "unauthorized");
    assertEquals((await store.state(asManager(owner), NOW))?.received, []);
  });

  await t.step("PUSH-01: begin() refuses what does not continue what the edge holds", async () => {
    const first = await fresh();
    for (const fields of [{ base: 1 }, { full: false }, { full: false, base: 1 }]) {
      await assertRejects(() => first.store.begin(first.manager, pushBody(first.owner, fields), NOW), "conflict");
    }
    const { owner, store, manager } = await withState();
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
      const { owner, store, manager } = await fresh();
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
    const { owner, store, manager, device, rows, head } = await withState();
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
    const { owner, store, manager, device, rows, head } = await withState();
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

  await t.step(
    "PUSH-02: chunks come in any order and together; again is no effect, other bytes are conflict",
    async () => {
      const { owner, store, manager } = await fresh();
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
    const { owner, store, manager } = await fresh();
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
      const { owner, store, manager } = await fresh();
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
      const { owner, store, manager, device, head } = await withState();
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

  await t.step("PUSH-03: a row is replaced by removing and adding it, in any order of chunks", async () => {
    for (const order of [[0, 1], [1, 0]]) {
      const { owner, store, manager, device, rows, head } = await withState();
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
      const { owner, store, manager, device, rows, head } = await withState();
      const body = delta(owner);
      await store.begin(manager, body, NOW);
      await sendChunk(store, manager, body.id, 0, chunk);
      if (tables !== null) await assertRejects(() => commit({ owner, store, head }, body.id, tables), "conflict");
      await assertRejects(() => commit({ owner, store, head }, body.id, counts(1, 3)), "conflict");
      assertEquals(await seen(store, owner, device), rows);
    }
  });

  await t.step("PUSH-03: a full push has nothing to remove", async () => {
    const { owner, store, manager, head } = await withState();
    const body = pushBody(owner, { base: 1, epoch: 2 });
    await store.begin(manager, body, NOW);
    await sendChunk(store, manager, body.id, 0, { rows: [rawRow(2, token(1), 0)], remove: [[2, token(1), 0]] });
    await assertRejects(() => commit({ owner, store, head }, body.id, counts(0, 0), 2), "conflict");
    await assertRejects(() => commit({ owner, store, head }, body.id, counts(0, 1), 2), "conflict");
  });

  await t.step("PUSH-04: nothing of a push shows before its commit, and all of it after", async () => {
    const { owner, store, manager, device, rows, head } = await withState();
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
    const { owner, store, manager, head } = await withState();
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
    const { owner, store, head, device, rows } = await withState();
    const one = await owner.head({ generation: 2, previous: head.hash, tables: counts(9) });
    const statement = await owner.restate({ manager: await signingKey("ES256") });
    const two = await owner.head({ generation: 3, previous: one.hash, tables: counts(1, 3) });
    const manager = asManager(owner);
    const body = delta(owner, { chunks: 0 });
    await store.begin(manager, body, NOW);
    const commitBody = { heads: [one.signed, two.signed], statements: [statement.signed] };
    assertEquals(await store.commit(manager, body.id, commitBody, NOW), 3);
    assertEquals(await store.publicStatement(owner.id), statement.signed);
    assertEquals(await store.head(asDevice(owner, device)), { generation: 3, epoch: 1, head: two.signed });
    const page = { table: 2, epoch: 1, after: null, limit: 9 } as const;
    assertEquals((await store.table(asDevice(owner, device), { ...page, at: 3 }, NOW)).rows, rows);
    await assertRejects(() => store.table(asDevice(owner, device), { ...page, at: 2 }, NOW), "epoch_gone");
  });

  await t.step(
    "PUSH-06: the same commit again is success, also when many run at once; another is conflict",
    async () => {
      const { owner, store, manager, head } = await withState();
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
    const { owner, store, manager, head } = await withState();
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
    const { owner, store, manager, device, rows } = await withState();
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
      const { owner, store, manager, device } = await withState();
      const open = delta(owner);
      await store.begin(manager, open, NOW);
      await store.deleteTables(manager, 3, NOW);
      assertEquals(await store.head(manager), { generation: 0, epoch: 0, head: null });
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
    const { owner, store, manager } = await withState();
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
    const [a, b] = [await withState(), await withState()];
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

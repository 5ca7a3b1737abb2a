/** Reads: who is let in, what is found, and how much of it goes into one answer. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { encodeCertificate } from "../../../shared/protocol/plaintexts.ts";
import { openRow } from "../../../shared/protocol/row.ts";
import { LISTS, rowKey } from "../../../shared/protocol/token.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { NOW, OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import { deviceEntry, ManagerFixture } from "../../fixtures/pushes.ts";
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
  send,
  token,
  tokenOf,
} from "./fixture.ts";

const GRACE = LIMITS.readGraceMillis;

/** An owner with one device and certificates of these sizes under `token(1)`, at generation 1 and epoch 1. */
async function ownerWithRows(store: EdgeStore, owner: OwnerFixture, sizes: readonly number[] = []) {
  const device = await owner.device();
  const rows = sizes.map((size, number) => rawRow(2, token(1), number, size));
  const head = await pushRows(store, owner, {
    body: pushBody(owner),
    chunk: { rows: [deviceRow(device), ...rows] },
    tables: counts(1, rows.length),
    previous: null,
  });
  return { device, rows, head };
}

onEveryDatabase("reads", async (t, { database }) => {
  const fresh = async () => {
    const owner = await OwnerFixture.create();
    return { owner, store: await openStore(database, owner) };
  };

  await t.step("a device finds, by its token, the row that the manager sealed, and nothing under another", async () => {
    const { owner, store } = await fresh();
    const manager = new ManagerFixture(owner);
    const device = await owner.device();
    const certificate = {
      der: owner.root.der,
      status: 1,
      added: NOW,
      origin: "owner",
      note: "",
      isAnchor: true,
      reason: "",
    } as const;
    const list = LISTS.fingerprint(owner.id);
    const entry = { list, number: 0, plaintext: encodeCertificate(certificate) };
    const push = await manager.full([deviceEntry(device), entry]);
    await send(store, owner, push);
    const { keys } = manager;
    if (keys === null) throw new Error("no keys");
    const place = rowKey(keys, list, 0);
    const request = { table: 2, epoch: 1, token: place.token, from: 0, limit: 10 } as const;
    const answer = await store.rows(asDevice(owner, device), request, NOW);
    assertEquals([answer.generation, answer.epoch, answer.more, answer.rows.length], [1, 1, false, 1]);
    assertEquals(await openRow(keys, place, answer.rows[0] ?? new Uint8Array()), entry.plaintext);
    const other = await store.rows(asDevice(owner, device), { ...request, token: token(9) }, NOW);
    assertEquals(other, { generation: 1, epoch: 1, rows: [], more: false });
    assertEquals((await store.rows(asDevice(owner, device), { ...request, table: 3 }, NOW)).rows, []);
  });

  await t.step("loginData(), head(), record() and publicStatement() give what was pushed", async () => {
    const { owner, store } = await fresh();
    const { device, head } = await ownerWithRows(store, owner);
    const state = { generation: 1, epoch: 1, head: head.signed, history: null };
    const login = await store.loginData(owner.id, device.id);
    assertEquals(login?.publicKey, device.signing.publicKey);
    assertEquals(login?.registration, device.registration);
    const record = await store.record(asDevice(owner, device));
    assertEquals(record, { ...state, statement: owner.statement.signed, record: login?.record ?? null });
    const own = { table: 1, epoch: 1, token: tokenOf(device), from: 0, limit: 1 } as const;
    const { rows: [row] } = await store.rows(asDevice(owner, device), own, NOW);
    assertEquals(row, login?.record);
    assertEquals(await store.head(asDevice(owner, device)), state);
    assertEquals(await store.record(asManager(owner)), { ...record, record: null });
    assertEquals(await store.publicStatement(owner.id), owner.statement.signed);
    const { number, hash, signed } = owner.statement;
    assertEquals(await store.managerLoginData(owner.id), { ...state, statement: { number, hash, signed } });
  });

  await t.step("an owner without a state, and an unknown one, have nothing and admit no device", async () => {
    const { owner, store } = await fresh();
    const unknown = await OwnerFixture.create();
    const device = await owner.device();
    assertEquals(await store.head(asManager(owner)), { generation: 0, epoch: 0, head: null, history: null });
    for (const someone of [owner, unknown]) {
      assertEquals(await store.loginData(someone.id, device.id), null);
      assertEquals(await store.publicStatement(someone.id), null);
      assertEquals((await store.managerLoginData(someone.id)).statement, null);
      await assertRejects(() => store.head(asDevice(someone, device)), "unauthorized");
    }
    await assertRejects(() => store.head(asManager(unknown)), "unauthorized");
  });

  await t.step(
    "SESS-14: every read is unauthorized when the device is gone, registered anew, or the session ended",
    async () => {
      const { owner, store } = await fresh();
      const { device } = await ownerWithRows(store, owner, [10]);
      const list = { table: 2, epoch: 1, token: token(1), limit: 1 } as const;
      const reads = (principal: ReturnType<typeof asDevice>) => [
        () => store.head(principal),
        () => store.record(principal),
        () => store.rows(principal, { ...list, from: 0 }, NOW),
        () => store.rows(principal, { ...list, before: 9 }, NOW),
        () => store.table(principal, { table: 2, epoch: 1, at: 1, after: null, limit: 1 }, NOW),
        () => store.changes(principal, { table: 2, epoch: 1, since: 1, at: 1, after: null, limit: 1 }, NOW),
        () => store.list(principal, 0, 1),
        () => store.getPart(principal, token(1)),
      ];
      const stranger = await owner.device();
      const again = { ...device, registration: device.registration + 1 };
      const ended = asDevice(owner, device);
      await store.endSession(ended, ended.expires);
      for (const principal of [asDevice(owner, stranger), asDevice(owner, again), ended]) {
        for (const read of reads(principal)) await assertRejects(read, "unauthorized");
      }
      await assertRejects(() => store.endSession(ended, ended.expires), "unauthorized");
      assertEquals((await store.head(asDevice(owner, device))).generation, 1);
      const endedManager = asManager(owner);
      await store.endSession(endedManager, endedManager.expires);
      for (const read of reads(endedManager)) await assertRejects(read, "unauthorized");
    },
  );

  await t.step(
    "SESS-03: the session of a manager with a lower statement is over once a newer one is adopted",
    async () => {
      const { owner, store } = await fresh();
      const { head } = await ownerWithRows(store, owner);
      const old = asManager(owner);
      await owner.restate({ manager: await signingKey() });
      assertEquals((await store.head(old)).generation, 1);
      const body = pushBody(owner, { base: 1, epoch: 2 });
      await pushRows(store, owner, { body, chunk: {}, tables: counts(0), previous: head });
      await assertRejects(() => store.head(old), "unauthorized");
      assertEquals((await store.head(asManager(owner))).generation, 2);
      const forged = { ...asManager(owner), statement: webCryptoRandom(32) };
      await assertRejects(() => store.head(forged), "unauthorized");
    },
  );

  await t.step("SESS-04: spendChallenge() is true once, also for many at the same time", async () => {
    const { owner, store } = await fresh();
    const random = webCryptoRandom(32);
    const spent = await Promise.all(Array.from({ length: 8 }, () => store.spendChallenge(owner.id, random, NOW)));
    assertEquals(spent.filter((fresh) => fresh).length, 1);
    assertEquals(await store.recordManager(owner.id, random, NOW), false);
    assertEquals(await store.spendChallenge((await OwnerFixture.create()).id, random, NOW), false);
  });

  await t.step("READ-01: rows() gives a list in order, from a number up or below one down, with more", async () => {
    const { owner, store } = await fresh();
    const { device, rows } = await ownerWithRows(store, owner, [10, 20, 30, 40, 50]);
    const ask = (range: { from: number } | { before: number }, limit: number) =>
      store.rows(asDevice(owner, device), { table: 2, epoch: 1, token: token(1), limit, ...range }, NOW);
    const pick = (...numbers: number[]) => numbers.flatMap((number) => rows[number] ?? []);
    for (
      const [range, limit, expected, more] of [
        [{ from: 0 }, 5, [0, 1, 2, 3, 4], false],
        [{ from: 0 }, 4, [0, 1, 2, 3], true],
        [{ from: 0 }, 1, [0], true],
        [{ from: 3 }, 2, [3, 4], false],
        [{ from: 5 }, 9, [], false],
        [{ before: 5 }, 9, [4, 3, 2, 1, 0], false],
        [{ before: 5 }, 2, [4, 3], true],
        [{ before: 1 }, 1, [0], false],
        [{ before: 0 }, 1, [], false],
      ] as const
    ) {
      const answer = await ask(range, limit);
      assertEquals([answer.rows, answer.more], [pick(...expected), more], JSON.stringify([range, limit]));
    }
  });

  await t.step("READ-01: an answer ends before its bytes pass the bound, but has one row in any case", async () => {
    const { owner, store } = await fresh();
    const overhead = rawRow(2, token(1), 0, 0).length + 4;
    const third = LIMITS.maxAnswerRowBytes / 3 - overhead;
    const { device, rows } = await ownerWithRows(store, owner, [third, third, third, 10, 900_000 - 100_000, 10]);
    const sizes = rows.map((row) => row.length);
    const ask = async (from: number) => {
      const request = { table: 2, epoch: 1, token: token(1), limit: 100, from } as const;
      return await store.rows(asDevice(owner, device), request, NOW);
    };
    assertEquals((sizes[0] ?? 0) + (sizes[1] ?? 0) + (sizes[2] ?? 0), LIMITS.maxAnswerRowBytes);
    assertEquals((await ask(0)).rows.length, 3);
    assertEquals((await ask(1)).rows.length, 3);
    const large = await ask(4);
    assertEquals([large.rows.map((row) => row.length), large.more], [sizes.slice(4, 5), true]);
    const request = { table: 2, epoch: 1, at: 1, limit: 100 } as const;
    const page = await store.table(asDevice(owner, device), { ...request, after: null }, NOW);
    assertEquals([page.rows.length, page.next], [3, treeKey(token(1), 2)]);
    const next = await store.table(asDevice(owner, device), { ...request, after: treeKey(token(1), 3) }, NOW);
    assertEquals([next.rows, next.next], [rows.slice(4, 5), treeKey(token(1), 4)]);
  });

  await t.step("READ-02: the epoch before is served for ten minutes after the switch, then epoch_gone", async () => {
    const { owner, store } = await fresh();
    const { device, rows, head } = await ownerWithRows(store, owner, [10]);
    const body = pushBody(owner, { base: 1, epoch: 2 });
    await pushRows(store, owner, { body, chunk: { rows: [deviceRow(device)] }, tables: counts(1), previous: head });
    const principal = asDevice(owner, device);
    const list = (epoch: number, now: number) =>
      store.rows(principal, { table: 2, epoch, token: token(1), from: 0, limit: 1 }, now);
    const page = (epoch: number, at: number, now: number) =>
      store.table(principal, { table: 2, epoch, at, after: null, limit: 1 }, now);
    assertEquals((await list(2, NOW)).rows, []);
    assertEquals(await list(1, NOW + GRACE - 1), { generation: 2, epoch: 2, rows, more: false });
    assertEquals((await page(1, 1, NOW + GRACE - 1)).rows, rows);
    assertEquals((await page(2, 2, NOW + 9 * GRACE)).rows, []);
    await assertRejects(() => list(1, NOW + GRACE), "epoch_gone");
    await assertRejects(() => page(1, 1, NOW + GRACE), "epoch_gone");
    await assertRejects(() => page(2, 1, NOW), "epoch_gone");
    await assertRejects(() => list(3, NOW), "epoch_gone");
    await assertRejects(() => page(2, 3, NOW), "conflict");
  });

  await t.step("READ-02, READ-03: table() and changes() read earlier generations while commits go on", async () => {
    const { owner, store } = await fresh();
    const { device, rows: [a, b, c], head } = await ownerWithRows(store, owner, [10, 20, 30]);
    if (a === undefined || b === undefined || c === undefined) throw new Error("no rows");
    const [b2, d] = [rawRow(2, token(1), 1, 99), rawRow(2, token(0), 7, 5)];
    const second = await pushRows(store, owner, {
      body: pushBody(owner, { base: 1, full: false }),
      chunk: { rows: [d, b2], remove: [[2, token(1), 1], [2, token(1), 2]] },
      tables: counts(1, 3),
      previous: head,
    });
    const e = rawRow(2, token(1), 2, 7);
    await pushRows(store, owner, {
      body: pushBody(owner, { base: 2, full: false }),
      chunk: { rows: [e], remove: [[2, token(0), 7]] },
      tables: counts(1, 3),
      previous: second,
    });
    const principal = asDevice(owner, device);
    const whole = async (at: number, limit: number) => {
      const found: Bytes[] = [];
      for (let after: Bytes | null = null;;) {
        const page = await store.table(principal, { table: 2, epoch: 1, at, after, limit }, NOW);
        found.push(...page.rows);
        assertEquals(page.generation, 3);
        if (page.next === null) return found;
        after = page.next;
      }
    };
    for (const limit of [1, 2, 3, 4]) {
      assertEquals(await whole(1, limit), [a, b, c]);
      assertEquals(await whole(2, limit), [d, a, b2]);
      assertEquals(await whole(3, limit), [a, b2, e]);
    }
    const changes = async (since: number, at: number, after: Bytes | null = null, limit = 10) => {
      const { rows, removed, next } = await store.changes(
        principal,
        { table: 2, epoch: 1, since, at, after, limit },
        NOW,
      );
      return { rows, removed, next };
    };
    assertEquals(await changes(1, 1), { rows: [], removed: [], next: null });
    assertEquals(await changes(1, 2), { rows: [d, b2], removed: [[token(1), 2]], next: null });
    assertEquals(await changes(2, 3), { rows: [e], removed: [[token(0), 7]], next: null });
    assertEquals(await changes(1, 3), { rows: [b2, e], removed: [], next: null });
    assertEquals(await changes(2, 3, null, 1), { rows: [], removed: [[token(0), 7]], next: treeKey(token(0), 7) });
    assertEquals(await changes(2, 3, treeKey(token(0), 7), 1), { rows: [e], removed: [], next: null });
    await assertRejects(() => changes(2, 1), "malformed");
    await assertRejects(() => changes(2, 4), "conflict");
    await assertRejects(() => changes(0, 3), "epoch_gone");
    await assertRejects(() => changes(1, 3, new Uint8Array(39)), "malformed");
    await assertRejects(() => changes(1, 3, new Uint8Array(40).fill(0xff)), "malformed");
    const late = { table: 2, epoch: 1, since: 1, at: 3, after: null, limit: 9 } as const;
    await assertRejects(() => store.changes(principal, late, NOW + GRACE), "epoch_gone");
  });

  await t.step("changes() passes over a row that was replaced by the same bytes", async () => {
    const { owner, store } = await fresh();
    const { device, rows: [a], head } = await ownerWithRows(store, owner, [10]);
    if (a === undefined) throw new Error("no row");
    await pushRows(store, owner, {
      body: pushBody(owner, { base: 1, full: false }),
      chunk: { rows: [a], remove: [[2, token(1), 0]] },
      tables: counts(1, 1),
      previous: head,
    });
    const request = { table: 2, epoch: 1, since: 1, at: 2, after: null, limit: 9 } as const;
    const { rows, removed } = await store.changes(asDevice(owner, device), request, NOW);
    assertEquals([rows, removed], [[], []]);
  });

  await t.step("STORE-02: two owners with the same ids, tokens and sessions see only their own", async () => {
    const { owner, store } = await fresh();
    const other = await OwnerFixture.create();
    await openStore(database, other);
    const mine = await ownerWithRows(store, owner, [10]);
    const twin = { ...mine.device, signing: await signingKey() };
    const row = rawRow(2, token(1), 0, 10);
    const body = pushBody(other);
    const chunk = { rows: [deviceRow(twin), row] };
    await pushRows(store, other, { body, chunk, tables: counts(1, 1), previous: null });
    const [here, there] = [asDevice(owner, mine.device), { ...asDevice(owner, twin), owner: other.id }];
    const request = { table: 2, epoch: 1, token: token(1), from: 0, limit: 9 } as const;
    assertEquals((await store.rows(here, request, NOW)).rows, mine.rows);
    assertEquals((await store.rows(there, request, NOW)).rows, [row]);
    assertEquals((await store.loginData(other.id, twin.id))?.publicKey, twin.signing.publicKey);
    await store.endSession({ ...there, session: here.session }, there.expires);
    assertEquals((await store.head(here)).generation, 1);
    await assertRejects(() => store.head({ ...there, session: here.session }), "unauthorized");
  });
});

/** The inbox: what devices hand in, who sees it, how much there may be, and how it goes. */
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { Submission } from "../../../shared/protocol/submission.ts";
import type { Principal } from "../../../edge/store/principal.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { withBatch } from "../../fixtures/batches.ts";
import { type DeviceFixture, NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { onEveryDatabase } from "./databases.ts";
import { asDevice, asManager, counts, deviceRow, openStore, pushBody, pushRows } from "./fixture.ts";
import { handIn, signedSubmission } from "./submission.ts";

const COPY = { nonce: new Uint8Array(12), ciphertext: new Uint8Array(272) };

const part = (size: number = LIMITS.minSealedPartBytes) => {
  const bytes = webCryptoRandom(size);
  return { bytes, hash: sha256(bytes), size };
};

/** Each batch is done, and its answer lost: it is done again where it may be, as a server far away would be asked again. */
function forgetful(database: Database): Database {
  return withBatch(database, async (statements, options) => {
    await database.batch(statements, options);
    if (options?.idempotent === true) return await database.batch(statements, options);
    throw new PosternError("network", "The answer was lost");
  });
}

onEveryDatabase("inbox", async (t, { database }) => {
  const fresh = async () => {
    const owner = await OwnerFixture.create();
    const store = await openStore(database, owner);
    const [a, b] = [await owner.device("a"), await owner.device("b")];
    const head = await pushRows(store, owner, {
      ...{ body: pushBody(owner), chunk: { rows: [deviceRow(a), deviceRow(b)] } },
      ...{ tables: counts(2), previous: null },
    });
    return { owner, store, a, b, head };
  };

  await t.step(
    "INBOX-05, SESS-12: submit() takes a number once: the same bytes again have no effect, others are conflict",
    async () => {
      const { owner, store, a, b } = await fresh();
      const signed = await signedSubmission(owner, a);
      await Promise.all([1, 2, 3].map(() => handIn(store, asDevice(owner, a), signed)));
      await handIn(store, asDevice(owner, b), await signedSubmission(owner, b));
      const again = await signedSubmission(owner, a);
      await assertRejects(() => handIn(store, asDevice(owner, a), again), "conflict");
      const { entries } = await store.list(asManager(owner), 0, 9);
      assertEquals(entries.map(([arrival]) => arrival), [1, 2]);
      assertEquals(entries[0]?.[1], signed);
    },
  );

  await t.step(
    "INBOX-04, INBOX-05: an answer of the database that is lost loses nothing, and takes nothing twice",
    async () => {
      const { owner, a } = await fresh();
      const store = await EdgeStore.open(forgetful(database));
      const { hash, bytes, size } = part();
      await store.putPart(asDevice(owner, a), hash, bytes, NOW);
      const signed = await signedSubmission(owner, a, { parts: [{ hash, size }] });
      await handIn(store, asDevice(owner, a), signed);
      const { entries } = await store.list(asManager(owner), 0, 9);
      assertEquals(entries.map(([, one]) => one), [signed]);
    },
  );

  await t.step("INBOX-05: submit() refuses what is another's, and ends with the session", async () => {
    const { owner, store, a, b } = await fresh();
    const stranger = await OwnerFixture.create();
    const own = await signedSubmission(owner, a);
    await assertRejects(() => handIn(store, asDevice(owner, b), own), "forbidden");
    await assertRejects(() => handIn(store, asManager(owner), own), "forbidden");
    const foreign = await signedSubmission(stranger, a);
    await assertRejects(() => handIn(store, asDevice(owner, a), foreign), "forbidden");
    const ended = asDevice(owner, a);
    await store.endSession(ended, ended.expires);
    await assertRejects(() => handIn(store, ended, own), "unauthorized");
    await assertRejects(() => store.putPart(ended, part().hash, part().bytes, NOW), "malformed");
    const { hash, bytes } = part();
    await assertRejects(() => store.putPart(ended, hash, bytes, NOW), "unauthorized");
    assertEquals((await store.list(asManager(owner), 0, 9)).entries, []);
  });

  await t.step("INBOX-06: manager and devices see all, with a copy and without, page by page", async () => {
    const { owner, store, a, b } = await fresh();
    const [secret, shared, other] = [
      await signedSubmission(owner, a, { number: 1 }),
      await signedSubmission(owner, a, { number: 2, copy: COPY }),
      await signedSubmission(owner, b, { number: 1 }),
    ];
    for (const signed of [secret, shared]) await handIn(store, asDevice(owner, a), signed);
    await handIn(store, asDevice(owner, b), other);
    const all = async (principal: Principal) => (await store.list(principal, 0, 9)).entries.map(([, signed]) => signed);
    for (const principal of [asManager(owner), asDevice(owner, a), asDevice(owner, b)]) {
      assertEquals(await all(principal), [secret, shared, other]);
    }
    const page = async (after: number, limit: number) => {
      const { entries, next } = await store.list(asManager(owner), after, limit);
      return [entries.map(([arrival]) => arrival), next];
    };
    assertEquals(await page(0, 2), [[1, 2], 2]);
    assertEquals(await page(2, 2), [[3], null]);
    assertEquals(await page(0, 3), [[1, 2, 3], null]);
    assertEquals(await page(3, 1), [[], null]);
  });

  await t.step("INBOX-06: a page ends before its bytes pass the bound of an answer", async () => {
    const { owner, store, a } = await fresh();
    for (const number of [1, 2, 3, 4]) {
      await handIn(store, asDevice(owner, a), await signedSubmission(owner, a, { number }, 200_000));
    }
    const first = await store.list(asManager(owner), 0, 100);
    assertEquals([first.entries.length, first.next], [3, 3]);
    const last = await store.list(asManager(owner), 3, 100);
    assertEquals([last.entries.length, last.next], [1, null]);
  });

  await t.step("INBOX-04: a part is stored under its hash, for the manager and its own device", async () => {
    const { owner, store, a, b } = await fresh();
    const { bytes, hash, size } = part();
    await assertRejects(() => store.putPart(asDevice(owner, a), hash, part().bytes, NOW), "malformed");
    const tiny = webCryptoRandom(LIMITS.minSealedPartBytes - 1);
    await assertRejects(() => store.putPart(asDevice(owner, a), sha256(tiny), tiny, NOW), "malformed");
    await assertRejects(() => store.putPart(asManager(owner), hash, bytes, NOW), "forbidden");
    await assertRejects(() => store.getPart(asManager(owner), hash), "not_found");
    for (let i = 0; i < 2; i++) await store.putPart(asDevice(owner, a), hash, bytes, NOW);
    assertEquals(await store.getPart(asDevice(owner, a), hash), bytes);
    assertEquals(await store.getPart(asManager(owner), hash), bytes);
    await assertRejects(() => store.getPart(asDevice(owner, b), hash), "not_found");
    const names = (parts: Submission["parts"], device = a) => signedSubmission(owner, device, { parts });
    const [foreign, longer, twice, good] = [
      await names([{ hash, size }], b),
      await names([{ hash, size: size + 1 }]),
      await names([{ hash, size }, { hash, size }]),
      await names([{ hash, size }]),
    ];
    await assertRejects(() => handIn(store, asDevice(owner, b), foreign), "not_found");
    await assertRejects(() => handIn(store, asDevice(owner, a), longer), "not_found");
    await assertRejects(() => handIn(store, asDevice(owner, a), twice), "malformed");
    assertEquals((await store.list(asManager(owner), 0, 9)).entries, []);
    await handIn(store, asDevice(owner, a), good);
    assertEquals((await store.list(asManager(owner), 0, 9)).entries, [[1, good]]);
  });

  await t.step(
    "PUSH-07: a commit takes out of the inbox what its last head acknowledges, and nothing else",
    async () => {
      const { owner, store, a, b, head } = await fresh();
      const stream = webCryptoRandom(16);
      const sent = [
        await signedSubmission(owner, a, { stream, number: 1 }),
        await signedSubmission(owner, a, { stream, number: 2 }),
        await signedSubmission(owner, a, { stream, number: 3 }),
        await signedSubmission(owner, a, { number: 1 }),
        await signedSubmission(owner, b, { stream, number: 1 }),
      ];
      for (const signed of sent.slice(0, 4)) await handIn(store, asDevice(owner, a), signed);
      await handIn(store, asDevice(owner, b), sent[4] ?? new Uint8Array());
      const ack = { device: a.id, stream, number: 2, hash: new Uint8Array(32) };
      const manager = asManager(owner);
      const earlier = await owner.head({ generation: 2, previous: head.hash, acks: [{ ...ack, number: 3 }] });
      const last = await owner.head({ generation: 3, previous: earlier.hash, tables: counts(2), acks: [ack] });
      const body = pushBody(owner, { base: 1, full: false, chunks: 0 });
      await store.begin(manager, body, NOW);
      await store.commit(manager, body.id, { heads: [earlier.signed, last.signed], statements: [] }, NOW);
      const left = async (principal: Principal) => (await store.list(principal, 0, 9)).entries;
      assertEquals((await left(manager)).map(([arrival]) => arrival), [3, 4, 5]);
      assertEquals((await left(asDevice(owner, a))).map(([arrival]) => arrival), [3, 4, 5]);
      // Repeating what was acknowledged has no effect, and numbers of arrival go on.
      await handIn(store, asDevice(owner, a), sent[0] ?? new Uint8Array());
      await handIn(store, asDevice(owner, a), await signedSubmission(owner, a, { stream, number: 4 }));
      assertEquals((await left(manager)).map(([arrival]) => arrival), [3, 4, 5, 6]);
      // spec: PUSH-09: the inbox outlives the tables.
      await store.deleteTables(manager, 1, NOW);
      assertEquals((await left(manager)).length, 4);
    },
  );

  await t.step("STORE-02: the inboxes of two owners with the same devices, streams and parts are apart", async () => {
    const { owner, store, a, head } = await fresh();
    const other = await OwnerFixture.create();
    await openStore(database, other);
    const chunk = { rows: [deviceRow(a)] };
    await pushRows(store, other, { body: pushBody(other), chunk, tables: counts(1), previous: null });
    const { bytes, hash, size } = part();
    await store.putPart(asDevice(owner, a), hash, bytes, NOW);
    await assertRejects(() => store.getPart(asManager(other), hash), "not_found");
    const parts = [{ hash, size }];
    const [mine, theirs] = [await signedSubmission(owner, a, { parts }), await signedSubmission(other, a)];
    const naming = await signedSubmission(other, a, { parts });
    await assertRejects(() => handIn(store, asDevice(other, a), naming), "not_found");
    await handIn(store, asDevice(owner, a), mine);
    await handIn(store, asDevice(other, a), theirs);
    const all = async (of: OwnerFixture) => (await store.list(asManager(of), 0, 9)).entries;
    assertEquals([await all(owner), await all(other)], [[[1, mine]], [[1, theirs]]]);
    const acks = [{ device: a.id, stream: new Uint8Array(16), number: 1, hash: new Uint8Array(32) }];
    const next = await owner.head({ generation: 2, previous: head.hash, tables: counts(2), acks });
    const body = pushBody(owner, { base: 1, full: false, chunks: 0 });
    await store.begin(asManager(owner), body, NOW);
    await store.commit(asManager(owner), body.id, { heads: [next.signed], statements: [] }, NOW);
    assertEquals([await all(owner), await all(other)], [[], [[1, theirs]]]);
  });

  await t.step("INBOX-11: beyond the parts of one device, or of all, putPart() is too_large", async () => {
    const { owner, store, a, b } = await fresh();
    const size = 1_000_000;
    const fits = Math.floor(LIMITS.maxInboxDevicePartBytes / size);
    const { bytes, hash } = part(size);
    await store.putPart(asDevice(owner, a), hash, bytes, NOW);
    // As if the device had uploaded the others before.
    await occupy(owner, a, { bytes: fits * size });
    const next = part(size);
    await assertRejects(() => store.putPart(asDevice(owner, a), next.hash, next.bytes, NOW), "too_large");
    await assertRejects(() => store.getPart(asDevice(owner, a), next.hash), "not_found");
    await store.putPart(asDevice(owner, a), hash, bytes, NOW);
    await store.putPart(asDevice(owner, b), next.hash, next.bytes, NOW);
    await occupy(owner, a, { bytes: LIMITS.maxInboxPartBytes - 1_000_001 });
    const last = part(size);
    await assertRejects(() => store.putPart(asDevice(owner, b), last.hash, last.bytes, NOW), "too_large");
  });

  await t.step("INBOX-11: beyond the submissions of one device, or of all, submit() is too_large", async () => {
    const { owner, store, a, b } = await fresh();
    const held = await signedSubmission(owner, a);
    await handIn(store, asDevice(owner, a), held);
    await occupy(owner, a, { submissions: LIMITS.maxInboxDeviceSubmissions });
    const next = await signedSubmission(owner, a, { number: 2 });
    await assertRejects(() => handIn(store, asDevice(owner, a), next), "too_large");
    await handIn(store, asDevice(owner, a), held);
    await handIn(store, asDevice(owner, b), await signedSubmission(owner, b));
    await occupy(owner, a, { submissions: LIMITS.maxInboxSubmissions - 1 });
    const last = await signedSubmission(owner, b, { number: 2 });
    await assertRejects(() => handIn(store, asDevice(owner, b), last), "too_large");
    assertEquals((await store.list(asManager(owner), 0, 9)).entries.length, 2);
  });

  /** Sets what the database has counted for a device. */
  async function occupy(owner: OwnerFixture, device: DeviceFixture, counted: { bytes?: number; submissions?: number }) {
    const [column, value] = Object.entries(counted)[0] ?? [];
    const { changes } = await database.execute({
      sql: `UPDATE inbox_usage SET ${column} = ? WHERE device = ? AND owner = (SELECT no FROM owners WHERE id = ?)`,
      params: [value ?? 0, device.id, owner.id],
    });
    assertEquals(changes, 1);
  }
});

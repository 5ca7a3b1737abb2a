/**
 * A database that goes away at any call, before or after it did what was asked: the state is the old or the new one,
 * and trying again works.
 */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { PosternError } from "../../../shared/errors.ts";
import { EdgeStore } from "../../../edge/store/store.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { type DeviceFixture, type HeadFixture, NOW, OwnerFixture } from "../../fixtures/owner.ts";
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
} from "./fixture.ts";
import { handIn, signedSubmission } from "./submission.ts";

type Moment = "before" | "after";

/** Breaks at the k-th call, counted from 1: before it reaches the database, or after, so that the answer is lost. */
class Breaking implements Database {
  readonly kind = "remote";
  calls = 0;
  readonly #database: Database;
  readonly #at: number;
  readonly #moment: Moment;

  constructor(database: Database, at: number, moment: Moment) {
    this.#database = database;
    this.#at = at;
    this.#moment = moment;
  }

  execute: Database["execute"] = (statement) => this.#run(() => this.#database.execute(statement));
  batch: Database["batch"] = (statements) => this.#run(() => this.#database.batch(statements));
  close = () => this.#database.close();

  async #run<T>(run: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls !== this.#at) return await run();
    if (this.#moment === "after") await run().catch(() => {});
    throw new PosternError("network", "The connection broke");
  }
}

interface Scene {
  readonly owner: OwnerFixture;
  readonly device: DeviceFixture;
  readonly head: HeadFixture;
  readonly rows: readonly Bytes[];
}

/** Generation 1 with three rows, and a discarded delta whose rows are still there. */
async function setScene(database: Database): Promise<Scene> {
  const owner = await OwnerFixture.create();
  const store = await openStore(database, owner);
  const device = await owner.device();
  const rows = [0, 1, 2].map((number) => rawRow(2, token(1), number));
  const chunk = { rows: [deviceRow(device), ...rows] };
  const head = await pushRows(store, owner, { body: pushBody(owner), chunk, tables: counts(1, 3), previous: null });
  const discarded = pushBody(owner, { base: 1, full: false });
  await store.begin(asManager(owner), discarded, NOW);
  const left = { rows: [rawRow(2, token(1), 3)], remove: [[2, token(1), 0]] } as const;
  await sendChunk(store, asManager(owner), discarded.id, 0, left);
  return { owner, device, head, rows };
}

async function visible(database: Database, { owner, device }: Scene): Promise<{ generation: number; rows: Bytes[] }> {
  const store = await EdgeStore.open(database);
  const { generation, epoch } = await store.head(asManager(owner));
  if (generation === 0) return { generation, rows: [] };
  const request = { table: 2, epoch, token: token(1), from: 0, limit: 9 } as const;
  const { rows } = await store.rows(asDevice(owner, device), request, NOW);
  return { generation, rows: [...rows] };
}

/**
 * A thing to do, what is visible when it is done, and whether the first try that took effect makes another
 * impossible.
 */
interface Task {
  readonly run: (store: EdgeStore) => Promise<unknown>;
  readonly after: { generation: number; rows: Bytes[] };
}

async function pushTask({ owner, device, head, rows }: Scene, full: boolean): Promise<Task> {
  const added = rawRow(2, token(1), 1);
  const body = pushBody(owner, { base: 1, epoch: full ? 2 : 1, full, chunks: 2 });
  const tables = full ? counts(1, 1) : counts(1, 2);
  const next = await owner.head({ generation: 2, previous: head.hash, epoch: body.epoch, tables });
  const chunks = full
    ? [{ rows: [added] }, { rows: [deviceRow(device)] }]
    : [{ rows: [added] }, { remove: [[2, token(1), 1], [2, token(1), 2]] as const }];
  const manager = asManager(owner);
  const run = async (store: EdgeStore) => {
    // A manager that resumes asks first whether its commit was made.
    if ((await store.head(manager)).generation < 2) {
      await store.begin(manager, body, NOW);
      for (const [n, chunk] of chunks.entries()) await sendChunk(store, manager, body.id, n, chunk);
    }
    assertEquals(await store.commit(manager, body.id, { heads: [next.signed], statements: [] }, NOW), 2);
  };
  return { run, after: { generation: 2, rows: full ? [added] : [rows[0], added] as Bytes[] } };
}

/** Tries a task with a database that breaks at each of its calls in turn. Returns how many calls there were. */
async function breakEverywhere(make: (scene: Scene) => Promise<Task>, moment: Moment): Promise<number> {
  for (let at = 1;; at++) {
    const database = await openDatabase(":memory:", {});
    const scene = await setScene(database);
    const before = await visible(database, scene);
    const task = await make(scene);
    const store = await EdgeStore.open(database);
    const breaking = new Breaking(database, at + MIGRATION_CALLS, moment);
    const broken = await EdgeStore.open(breaking);
    const { code } = await task.run(broken).then(() => ({ code: "ok" }), (error: PosternError) => error);
    if (breaking.calls < at + MIGRATION_CALLS) {
      assertEquals(code, "ok");
      await database.close();
      return at - 1;
    }
    assertEquals(code, "storage");
    const now = await visible(database, scene);
    const isWhole = [before, task.after].some((state) => {
      try {
        assertEquals(now, state);
        return true;
      } catch {
        return false;
      }
    });
    assert(isWhole, `call ${at} broke ${moment}, and generation ${now.generation} shows ${now.rows.length} rows`);
    await task.run(store);
    assertEquals(await visible(database, scene), task.after);
    await task.run(store);
    await database.close();
  }
}

/** Calls with which an up-to-date store opens. */
const MIGRATION_CALLS = 2;

for (const moment of ["before", "after"] as const) {
  Deno.test(`PUSH-05: a push of any kind survives a database that breaks ${moment} any call`, async () => {
    const delta = await breakEverywhere((scene) => pushTask(scene, false), moment);
    const full = await breakEverywhere((scene) => pushTask(scene, true), moment);
    // Head, begin, two chunks, two calls for the commit; a delta undoes the discarded one first, in steps.
    assertEquals([full, delta], [6, 10]);
  });

  Deno.test(`INBOX-05: parts and submissions survive a database that breaks ${moment} any call`, async () => {
    const calls = await breakEverywhere(async ({ owner, device, rows }) => {
      const part = new Uint8Array(300);
      const parts = [{ hash: sha256(part), size: part.length }];
      const signed = await signedSubmission(owner, device, { parts });
      const principal = asDevice(owner, device);
      return {
        after: { generation: 1, rows: [...rows] },
        run: async (store) => {
          await store.putPart(principal, sha256(part), part, NOW);
          await handIn(store, principal, signed);
          const { entries } = await store.list(principal, 0, 9);
          assertEquals(entries, [[1, signed]]);
        },
      };
    }, moment);
    assertEquals(calls, 3);
  });

  Deno.test(`STORE-03: sweeping survives a database that breaks ${moment} any call`, async () => {
    const calls = await breakEverywhere(({ owner, rows }) =>
      Promise.resolve({
        after: { generation: 1, rows: [...rows] },
        run: async (store) => {
          while ((await store.sweep(NOW + 1e9)).more);
          assertEquals(await store.state(asManager(owner), NOW), null);
        },
      }), moment);
    assert(calls >= 12, `only ${calls} calls`);
  });
}

Deno.test("PUSH-09: deleteTables() can be repeated when the database broke, before or after it", async () => {
  for (const moment of ["before", "after"] as const) {
    const database = await openDatabase(":memory:", {});
    const scene = await setScene(database);
    const manager = asManager(scene.owner);
    const broken = await EdgeStore.open(new Breaking(database, 1 + MIGRATION_CALLS, moment));
    await assertRejects(() => broken.deleteTables(manager, 1, NOW), "storage");
    const store = await EdgeStore.open(database);
    await store.deleteTables(manager, 1, NOW);
    assertEquals(await visible(database, scene), { generation: 0, rows: [] });
    await database.close();
  }
});

Deno.test("a database that is full is storage, and the store goes on when there is room again", async () => {
  const database = await openDatabase(":memory:", {});
  const scene = await setScene(database);
  const store = await EdgeStore.open(database);
  const manager = asManager(scene.owner);
  const pragma = async (sql: string) => (await database.execute<{ n: number }>({ sql, params: [] })).rows[0]?.n ?? 0;
  const body = pushBody(scene.owner, { base: 1, epoch: 2 });
  await store.begin(manager, body, NOW);
  const { rows: [{ page_count: pages } = { page_count: 0 }] } = await database.execute<{ page_count: number }>({
    ...{ sql: "PRAGMA page_count", params: [] },
  });
  await pragma(`PRAGMA max_page_count = ${pages + 5}`);
  const chunk = { rows: [deviceRow(scene.device), rawRow(2, token(1), 0, 100_000)] };
  await assertRejects(() => sendChunk(store, manager, body.id, 0, chunk), "storage");
  assertEquals((await store.state(manager, NOW))?.received, []);
  assertEquals((await visible(database, scene)).rows, [...scene.rows]);
  await pragma(`PRAGMA max_page_count = ${pages + 500}`);
  await sendChunk(store, manager, body.id, 0, chunk);
  const next = await scene.owner.head({
    ...{ generation: 2, previous: scene.head.hash, epoch: 2, tables: counts(1, 1) },
  });
  await store.commit(manager, body.id, { heads: [next.signed], statements: [] }, NOW);
  assertEquals((await visible(database, scene)).generation, 2);
  await database.close();
});

Deno.test("a database that another process keeps locked is storage", async () => {
  const folder = await Deno.makeTempDir();
  const url = `file:${folder}/edge.db`;
  const [database, other] = [await openDatabase(url, { busyMillis: 20 }), await openDatabase(url, { busyMillis: 20 })];
  const owner = await OwnerFixture.create();
  const store = await openStore(database, owner);
  const { default: Native } = await import("libsql");
  const holder = new Native(`${folder}/edge.db`);
  holder.exec("BEGIN IMMEDIATE");
  await assertRejects(() => store.begin(asManager(owner), pushBody(owner), NOW), "storage");
  await assertRejects(() => store.spendChallenge(owner.id, token(1), NOW), "storage");
  assertEquals((await store.head(asManager(owner))).generation, 0);
  holder.exec("COMMIT");
  holder.close();
  assertEquals(await store.begin(asManager(owner), pushBody(owner), NOW), []);
  await other.close();
  await database.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("EdgeStore.open() refuses a database of a newer schema with storage", async () => {
  const database = await openDatabase(":memory:", {});
  await EdgeStore.open(database);
  await EdgeStore.open(database);
  await database.execute({ sql: "INSERT INTO postern_migrations (version, name) VALUES (99, 'later')", params: [] });
  const { message } = await assertRejects(() => EdgeStore.open(database), "storage");
  assert(message.includes("99"), message);
  await database.close();
});

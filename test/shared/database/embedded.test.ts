import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement, Value } from "../../../shared/database/database.ts";
import { type EmbeddedOptions, openEmbedded } from "../../../shared/database/embedded.ts";
import { Native } from "../../../shared/database/native.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const raw = (sql: string, ...params: Value[]): Statement => ({ sql, params });
const INSERT = "INSERT INTO rows VALUES (?)";
const KEY = new Uint8Array(32).fill(1);

/** Runs with a path in a folder of its own that is removed afterwards. */
function test(name: string, run: (path: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(`${folder}/data.db`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function openWithRows(path: string, options?: EmbeddedOptions): Promise<Database> {
  const database = await openEmbedded(path, options);
  await database.execute(raw("CREATE TABLE IF NOT EXISTS rows (v PRIMARY KEY)"));
  return database;
}

async function rows(database: Database): Promise<Value[]> {
  return (await database.execute(raw("SELECT v FROM rows ORDER BY v"))).rows.map(({ v }) => v ?? null);
}

/** Transactions in a write-ahead log: frames that carry the database's size end one (https://sqlite.org/fileformat2.html#walformat). */
function commits(path: string): number {
  const log = Deno.readFileSync(`${path}-wal`);
  const view = new DataView(log.buffer);
  const frame = 24 + view.getUint32(8);
  let count = 0;
  // What an earlier turn of the log left behind has other salts.
  for (let at = 32; at + frame <= log.length && view.getUint32(at + 8) === view.getUint32(16); at += frame) {
    if (view.getUint32(at + 4) !== 0) count++;
  }
  return count;
}

test("openEmbedded() sets synchronous FULL, foreign keys and write-ahead logging when nothing else is asked", async (path) => {
  const pragma = async (database: Database, name: string) =>
    Object.values((await database.execute(raw(`PRAGMA ${name}`))).rows[0] ?? {})[0];
  const full = await openEmbedded(path);
  assertEquals(await pragma(full, "synchronous"), 2);
  assertEquals(await pragma(full, "foreign_keys"), 1);
  assertEquals(await pragma(full, "journal_mode"), "wal");
  await full.close();
  const normal = await openEmbedded(path, { synchronous: "NORMAL" });
  assertEquals(await pragma(normal, "synchronous"), 1);
  await normal.close();
});

test("openEmbedded() refuses with wrong_key when the key is another one or the file is not encrypted", async (path) => {
  const database = await openWithRows(path, { encryptionKey: KEY });
  await database.close();
  const { message } = await assertRejects(
    () => openEmbedded(path, { encryptionKey: new Uint8Array(32).fill(2) }),
    "wrong_key",
  );
  assert(message.includes(path) && message.includes("key"), message);
  await (await openWithRows(`${path}2`)).close();
  await assertRejects(() => openEmbedded(`${path}2`, { encryptionKey: KEY }), "wrong_key");
  await assertRejects(() => openEmbedded(path, { encryptionKey: new Uint8Array(31) }), "usage");
  await (await openEmbedded(path, { encryptionKey: KEY })).close();
});

test("openEmbedded() refuses with storage when the file is encrypted, no database, or has no folder", async (path) => {
  await (await openWithRows(path, { encryptionKey: KEY })).close();
  const encrypted = await assertRejects(() => openEmbedded(path), "storage");
  assert(encrypted.message.includes("give its key"), encrypted.message);
  await Deno.writeFile(`${path}2`, new Uint8Array(5000).fill(0x78));
  await assertRejects(() => openEmbedded(`${path}2`), "storage");
  const { message } = await assertRejects(() => openEmbedded(`${path}3/none/data.db`), "storage");
  assert(message.includes("folder exists"), message);
});

test("openEmbedded() leaves no plaintext in file or log when it has a key", async (path) => {
  const mark = "plaintext-mark-plaintext-mark";
  const database = await openWithRows(path, { encryptionKey: KEY });
  await database.execute(raw(INSERT, mark));
  for (const file of [path, `${path}-wal`]) {
    assert(!new TextDecoder("latin1").decode(await Deno.readFile(file)).includes(mark), file);
  }
  await database.close();
  assert(!new TextDecoder("latin1").decode(await Deno.readFile(path)).includes(mark));
});

test("execute() commits once when 64 writers ask in the same turn", async (path) => {
  const database = await openWithRows(path);
  const before = commits(path);
  await Promise.all(Array.from({ length: 64 }, (_, i) => database.execute(raw(INSERT, i))));
  assertEquals(commits(path) - before, 1);
  for (let i = 64; i < 67; i++) await database.execute(raw(INSERT, i));
  assertEquals(commits(path) - before, 4);
  await database.close();
});

test("execute() bounds a transaction when more writers ask than one may hold", async (path) => {
  const database = await openWithRows(path);
  const before = commits(path);
  await Promise.all(
    Array.from({ length: LIMITS.databaseGroupStatements + 1 }, (_, i) => database.execute(raw(INSERT, i))),
  );
  assertEquals(commits(path) - before, 2);
  await database.close();
});

test("execute() answers a read at once when writes are waiting", async (path) => {
  const database = await openWithRows(path);
  const write = database.execute(raw(INSERT, 1));
  assertEquals(await rows(database), []);
  await write;
  assertEquals(await rows(database), [1]);
  await database.close();
});

test("execute() runs every statement when more are used than the cache holds", async (path) => {
  const database = await openWithRows(path);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < LIMITS.databaseStatements + 10; i++) {
      assertEquals((await database.execute(raw(`SELECT ? + ${i} AS n`, round))).rows[0]?.["n"], round + i);
    }
  }
  await database.close();
});

test("execute() waits without blocking and succeeds when another process lets go of its lock", async (path) => {
  const database = await openWithRows(path);
  const holder = await hold(path);
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 5);
  const [write, batch] = [database.execute(raw(INSERT, 1)), database.batch([raw(INSERT, 2), raw(INSERT, 3)])];
  const read = await rows(database);
  await new Promise((resume) => setTimeout(resume, 100));
  await holder.release();
  await Promise.all([write, batch]);
  clearInterval(ticking);
  assertEquals(read, []);
  assert(ticks >= 5, `the event loop turned ${ticks} times in 100 ms`);
  assertEquals(await rows(database), [1, 2, 3]);
  await database.close();
});

test("execute() fails with storage and the remedy when another process keeps its lock, and changes nothing", async (path) => {
  const database = await openWithRows(path, { busyMillis: 20 });
  const holder = await hold(path);
  const { message } = await assertRejects(() => database.execute(raw(INSERT, 1)), "storage");
  assert(message.includes("Another process keeps") && message.includes("stop it"), message);
  await assertRejects(() => database.batch([raw(INSERT, 1), raw(INSERT, 2)]), "storage");
  await holder.release();
  assertEquals(await rows(database), []);
  await database.execute(raw(INSERT, 3));
  await database.close();
});

test("execute() fails with storage when the disk is full, and goes on with what fits", async (path) => {
  const database = await openWithRows(path);
  await database.execute(raw("PRAGMA max_page_count = 12"));
  const large = new Uint8Array(100_000);
  const { message } = await assertRejects(() => database.execute(raw(INSERT, large)), "storage");
  assert(message.includes("full") && message.includes("Free some space"), message);
  await assertRejects(() => database.batch([raw(INSERT, 1), raw(INSERT, large), raw(INSERT, 2)]), "storage");
  // SQLite gives up the whole transaction then: the others must not go with it.
  const together = await Promise.allSettled([1, 2, large, 3].map((v) => database.execute(raw(INSERT, v))));
  assertEquals(together.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assertEquals(await rows(database), [1, 2, 3]);
  await database.close();
});

test("execute() fails with storage when a page of the file is damaged", async (path) => {
  const database = await openWithRows(path);
  await database.batch(Array.from({ length: 200 }, (_, i) => raw(INSERT, `${i}`.padEnd(500, "x"))));
  await database.close();
  const file = await Deno.readFile(path);
  await Deno.writeFile(path, file.fill(0xff, 4096));
  const damaged = await openEmbedded(path);
  const { message } = await assertRejects(() => damaged.execute(raw("SELECT v FROM rows")), "storage");
  assert(message.includes("restore it from a backup"), message);
  await damaged.close();
});

test("execute() fails with storage when the file was deleted or replaced under it", async (path) => {
  const fileIdentity = () => {
    try {
      const { dev, ino } = Deno.statSync(path);
      return `${dev}:${ino}`;
    } catch {
      return undefined;
    }
  };
  const database = await openWithRows(path, { fileIdentity });
  await database.execute(raw(INSERT, 1));
  await Deno.rename(path, `${path}.old`);
  const { message } = await assertRejects(() => database.execute(raw(INSERT, 2)), "storage");
  assert(message.includes("deleted or replaced"), message);
  await Deno.copyFile(`${path}.old`, path);
  await assertRejects(() => database.execute(raw(INSERT, 2)), "storage");
  await Deno.rename(`${path}.old`, path);
  await database.execute(raw(INSERT, 2));
  await database.close();
});

test("batch() keeps everything that was acknowledged, and nothing by halves, when the process is killed", async (path) => {
  await (await openWithRows(path)).close();
  const writer = child("write", path);
  let acknowledged = 0;
  for await (const line of lines(writer.stdout)) {
    acknowledged = Number(line);
    if (acknowledged >= 20) break;
  }
  writer.kill("SIGKILL");
  await writer.status;
  const database = await openEmbedded(path);
  const found = await rows(database);
  assert(found.length >= 2 * acknowledged, `${acknowledged} batches were acknowledged, ${found.length} rows are there`);
  assertEquals(found, Array.from({ length: found.length }, (_, i) => i + 2));
  assertEquals(found.length % 2, 0);
  await database.close();
});

test("close() leaves a file that is complete without its log", async (path) => {
  const database = await openWithRows(path);
  await database.execute(raw(INSERT, utf8("a")));
  await database.close();
  await Deno.copyFile(path, `${path}.copy`);
  const copy = await openEmbedded(`${path}.copy`);
  assertEquals(await rows(copy), [utf8("a")]);
  await copy.close();
});

Deno.test("openEmbedded() gives each :memory: database its own tables", async () => {
  const [a, b] = [await openWithRows(":memory:"), await openWithRows(":memory:")];
  await a.execute(raw(INSERT, 1));
  assertEquals([await rows(a), await rows(b)], [[1], []]);
  await Promise.all([a.close(), b.close()]);
});

Deno.test("NativeStatement.run() leaves the write lock taken when the statement returns rows", () => {
  // Why Connection never does it. Should this fail one day, libSQL has mended it.
  const native = new Native(":memory:", { timeout: 0 });
  native.exec("CREATE TABLE t (x)");
  native.prepare("INSERT INTO t VALUES (1) RETURNING x").run([]);
  native.exec("BEGIN");
  let message = "";
  try {
    native.exec("COMMIT");
  } catch (error) {
    message = String(error);
  }
  assert(message.includes("SQL statements in progress"), message);
  native.close();
});

function child(command: string, path: string): Deno.ChildProcess {
  const script = new URL("../../tools/database_process.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", script, command, path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

async function hold(path: string): Promise<{ release(): Promise<void> }> {
  const holder = child("hold", path);
  for await (const line of lines(holder.stdout)) if (line === "locked") break;
  return {
    async release() {
      await holder.stdin.close();
      await holder.status;
    },
  };
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

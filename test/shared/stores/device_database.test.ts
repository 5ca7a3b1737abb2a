/** The place of a device in a database file, and the one that ends with the process: one contract. */
import { CopyInProcess, MemoryInProcess } from "../../../shared/client/mod.ts";
import type { Database } from "../../../shared/database/database.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { openDeviceDatabase } from "../../../shared/stores/device_database.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { checkCopyStore, checkMemory } from "./contract.ts";

async function inFile(run: (open: () => Promise<Database>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-test-" });
  const opened: Database[] = [];
  try {
    await run(async () => {
      const db = await openDatabase(`file:${folder}/device.db`);
      opened.push(db);
      return db;
    });
  } finally {
    for (const db of opened) await db.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openDeviceDatabase() keeps a copy, changes it as a whole and finds it again, COPY-05", async () => {
  await inFile((open) => checkCopyStore(async () => (await openDeviceDatabase(await open())).copy));
});

Deno.test("openDeviceDatabase() keeps what a device remembers and hands in", async () => {
  await inFile((open) => checkMemory(async () => (await openDeviceDatabase(await open())).memory));
});

Deno.test("CopyInProcess and MemoryInProcess keep to the same", async () => {
  const [copy, memory] = [new CopyInProcess(), new MemoryInProcess()];
  await checkCopyStore(() => Promise.resolve(copy));
  await checkMemory(() => Promise.resolve(memory));
});

Deno.test("a change of the copy that cannot be made leaves the copy and its head as they were, COPY-05", async () => {
  await inFile(async (open) => {
    const db = await open();
    const { copy } = await openDeviceDatabase(db);
    const state = { statement: Uint8Array.of(1), head: Uint8Array.of(2), note: null };
    const row = { table: "messages", key: new Uint8Array(40), bytes: Uint8Array.of(1) } as const;
    await copy.apply({ state, isWhole: true, put: [row], remove: [] });
    await db.execute({
      sql: "CREATE TRIGGER full BEFORE INSERT ON copy BEGIN SELECT RAISE(ABORT, 'no room'); END",
      params: [],
    });
    const other = { ...row, bytes: Uint8Array.of(2) };
    const newer = { ...state, head: Uint8Array.of(3) };
    await assertRejects(() => copy.apply({ state: newer, isWhole: true, put: [other], remove: [] }), "conflict");
    assertEquals([await copy.state(), await Array.fromAsync(copy.rows())], [state, [row]]);
  });
});

Deno.test("a device's database survives a loss of power as its driver says", async () => {
  await inFile(async (open) => {
    const db = await open();
    await openDeviceDatabase(db);
    const { rows } = await db.execute<{ synchronous: number }>({ sql: "PRAGMA synchronous", params: [] });
    // FULL: what was committed is on the disk.
    assertEquals(rows, [{ synchronous: 2 }]);
  });
});

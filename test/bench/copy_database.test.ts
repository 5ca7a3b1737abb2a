import { openDatabase } from "../../shared/database/open.ts";
import type { CopiedRow } from "../../shared/client/copy_store.ts";
import { CopyInDatabase } from "../../bench/fixtures/copy_database.ts";
import { assertEquals } from "../assert.ts";

const STATE = { statement: Uint8Array.of(1), head: Uint8Array.of(2), note: null };

function row(table: CopiedRow["table"], number: number, byte: number): CopiedRow {
  const key = new Uint8Array(40);
  new DataView(key.buffer).setUint32(36, number);
  return { table, key, bytes: Uint8Array.of(byte) };
}

async function allOf(store: CopyInDatabase): Promise<CopiedRow[]> {
  return await Array.fromAsync(store.rows());
}

Deno.test("CopyInDatabase keeps the rows of a copy and its state, changes them, and forgets them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "postern-test-" });
  const db = await openDatabase(`file:${folder}/copy.db`);
  try {
    const store = await CopyInDatabase.open(db);
    assertEquals(await store.state(), null);
    const messages = Array.from({ length: 1_203 }, (_, number) => row("messages", number, number % 256));
    const device = row("devices", 7, 7);
    await store.apply({ state: STATE, isWhole: true, put: [...messages, device], remove: [] });
    assertEquals(await store.state(), STATE);
    assertEquals(await allOf(store), [device, ...messages]);
    const [first, ...others] = messages;
    const other = row("messages", 1, 99);
    await store.apply({ state: STATE, isWhole: false, put: [other], remove: first === undefined ? [] : [first] });
    assertEquals(await allOf(store), [device, other, ...others.slice(1)]);
    const again = await CopyInDatabase.open(db);
    assertEquals(await again.row("messages", other.key), other.bytes);
    assertEquals(await again.row("certificates", other.key), null);
    await again.apply({ state: STATE, isWhole: true, put: [device], remove: [] });
    assertEquals(await allOf(again), [device]);
    await again.clear();
    assertEquals([await again.state(), await allOf(again)], [null, []]);
  } finally {
    await db.close();
    await Deno.remove(folder, { recursive: true });
  }
});

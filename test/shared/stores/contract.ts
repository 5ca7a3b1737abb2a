/** What every place of a device keeps to, in words that run in a browser as well: it throws for what is wrong. */
import type { CopiedRow, CopyStore } from "../../../shared/client/memory/copy_store.ts";
import type { DeviceMemory } from "../../../shared/client/memory/memory.ts";

const STATE = { statement: Uint8Array.of(1), head: Uint8Array.of(2), note: null };
const NOTED = { statement: Uint8Array.of(3), head: Uint8Array.of(4), note: Uint8Array.of(5) };

function row(table: CopiedRow["table"], number: number, byte: number): CopiedRow {
  const key = new Uint8Array(40);
  new DataView(key.buffer).setUint32(36, number);
  return { table, key, bytes: Uint8Array.of(byte, number % 256) };
}

/** In one order, whatever the place gives them in. */
async function allOf(store: CopyStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { table, key, bytes } of store.rows()) found.push(`${table} ${key} ${bytes}`);
  return found.sort();
}

function same(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown) => JSON.stringify(value, (_, one) => one instanceof Uint8Array ? [...one] : one);
  if (text(actual) !== text(expected)) throw new Error(`${what}: ${text(actual)} instead of ${text(expected)}`);
}

const named = (rows: readonly CopiedRow[]) => rows.map(({ table, key, bytes }) => `${table} ${key} ${bytes}`).sort();

/** @param open the place as it is found again, by whoever opens it next */
export async function checkCopyStore(open: () => Promise<CopyStore>): Promise<void> {
  const store = await open();
  same([await store.state(), await allOf(store)], [null, []], "an empty place");
  // More than a page of each.
  const messages = Array.from({ length: 1_203 }, (_, number) => row("messages", number, 1));
  const device = row("devices", 7, 7);
  await store.apply({ state: STATE, isWhole: true, put: [...messages, device], remove: [] });
  same([await store.state(), await allOf(store)], [STATE, named([...messages, device])], "a whole copy");
  const [first, , ...others] = messages;
  if (first === undefined) throw new Error("no rows");
  const other = row("messages", 1, 99);
  await store.apply({ state: NOTED, isWhole: false, put: [other], remove: [first, row("certificates", 1, 1)] });
  const again = await open();
  same([await again.state(), await allOf(again)], [NOTED, named([device, other, ...others])], "a change");
  same(await again.row("messages", other.key), other.bytes, "a row");
  same([await again.row("certificates", other.key), await again.row("messages", first.key)], [null, null], "no row");
  await again.apply({ state: STATE, isWhole: true, put: [device], remove: [] });
  same([await again.state(), await allOf(again)], [STATE, named([device])], "another whole copy");
  await again.clear();
  same([await again.state(), await allOf(await open())], [null, []], "a copy that is forgotten");
}

/** @param open see {@link checkCopyStore} */
export async function checkMemory(open: () => Promise<DeviceMemory>): Promise<void> {
  const memory = await open();
  same(await memory.load("state"), null, "nothing");
  await memory.save("state", Uint8Array.of(1, 2));
  // A view of something larger.
  await memory.save("outbox-1", new Uint8Array(600_000).fill(7).subarray(5, 500_005));
  await memory.save("state", Uint8Array.of(3));
  const again = await open();
  same(await again.load("state"), Uint8Array.of(3), "what was replaced");
  const kept = await again.load("outbox-1");
  same([kept?.length, kept?.every((byte) => byte === 7)], [500_000, true], "a large piece");
  await again.remove("outbox-1");
  await again.remove("outbox-1");
  same([await memory.load("outbox-1"), await memory.load("state")], [null, Uint8Array.of(3)], "what is left");
}

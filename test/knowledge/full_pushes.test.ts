/** What an edge that keeps everything learns from full pushes of a small store: what padding hides, and, measured, what it does not. */
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { DEFAULT_POLICY } from "../../manager/push/mode.ts";
import { assert, assertEquals } from "../assert.ts";
import { World } from "../fixtures/world.ts";
import { certificate, CHANNEL, mail } from "../threats/setting.ts";

/** A row as the edge's database has it; tokens and order are new in each epoch. */
interface Seen extends Record<string, number | string> {
  tbl: number;
  token: string;
  number: number;
  size: number;
}

async function seen(database: Database): Promise<readonly Seen[]> {
  const sql = `SELECT tbl, hex(token) AS token, number, size FROM rows
    WHERE tbl IN (1, 2, 3) AND space = (SELECT space FROM owners)`;
  return [...(await database.execute<Seen>({ sql, params: [] })).rows];
}

/** How many rows of each size a table has: whatever says no more of two pushes cannot tell them apart. */
function sizesOf(rows: readonly Seen[], tbl: number): string {
  const counts = new Map<number, number>();
  for (const { size } of rows.filter((row) => row.tbl === tbl)) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => a - b).map(([size, count]) => `${size}:${count}`).join(" ");
}

/** How many rows each list of messages has, those of cover rows and of parts aside, which begin with number 0. */
function listLengths(rows: readonly Seen[]): number[] {
  const lengths = new Map<string, number>();
  for (const { token } of rows.filter(({ tbl, number }) => tbl === 3 && number > 0)) {
    lengths.set(token, (lengths.get(token) ?? 0) + 1);
  }
  return [...lengths.values()].toSorted((a, b) => a - b);
}

const person = (number: number) => certificate(`CN=Person ${100 + number}`);

/** An owner with a device, certificates of a few sizes, and messages; under the policy that owners have who chose nothing. */
async function smallWorld(certificates: number): Promise<{ world: World; ders: readonly Bytes[] }> {
  const world = await World.create();
  const { manager } = world;
  manager.policy = DEFAULT_POLICY;
  await world.pair("phone");
  const ders = await Promise.all(Array.from({ length: certificates }, (_, number) => person(number)));
  for (const [index, der] of ders.entries()) await manager.trust(der, "n".repeat(40 * (index % 5)));
  for (let index = 0; index < 10; index++) await manager.receive(CHANNEL, mail(`message ${index}`));
  await manager.sync();
  return { world, ders };
}

Deno.test("PUSH-19 certificates that come and go while there is room do not show in what the edge counts of a full push", async () => {
  const setting = await smallWorld(15);
  await using world = setting.world;
  const { manager, edge } = world;
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = setting.ders;
  const look = async () => {
    assertEquals((await manager.sync()).reason, "small store");
    const rows = await seen(edge.database);
    return [1, 2, 3].map((tbl) => sizesOf(rows, tbl));
  };
  const quiet = await look();
  assertEquals(await look(), quiet);
  // Three of each size are six rows, padded to eight.
  const one = await person(50);
  await manager.trust(one);
  assertEquals(await look(), quiet);
  await manager.forget(sha256(one));
  assertEquals(await look(), quiet);
  // Fewer than before, too, until half of the room would do.
  await manager.forget(sha256(first));
  await manager.forget(sha256(second));
  assertEquals(await look(), quiet);
  for (const der of [first, one]) await manager.trust(der);
  await manager.trust(second, "n".repeat(40));
  assertEquals(await look(), quiet);
});

Deno.test("PUSH-19 full pushes are padded: counts come in steps, and a store of 300 rows is at most twice as large", async () => {
  const setting = await smallWorld(130);
  await using world = setting.world;
  const { manager, edge } = world;
  for (let index = 0; index < 29; index++) {
    await manager.receive(CHANNEL, mail(`more ${index}`, "b".repeat(30 * index)));
  }
  await manager.sync();
  const before = await seen(edge.database);
  const [certificates, messages] = [2, 3].map((tbl) => before.filter((row) => row.tbl === tbl).length);
  // 260 rows and one device; 39 messages and their channel.
  assertEquals(messages, 64);
  assert(certificates !== undefined && certificates > 260 && certificates + 64 <= 600, String(certificates));
  manager.policy = { ...DEFAULT_POLICY, coverRows: 0 };
  const { pushed } = await manager.sync();
  assertEquals(pushed.rows, 1 + 260 + 40);
  const bare = await seen(edge.database);
  const bytes = (rows: readonly Seen[]) => rows.reduce((sum, { size }) => sum + size, 0);
  assert(bytes(before) <= 2 * bytes(bare), `${bytes(before)} for ${bytes(bare)}`);
  console.log(`301 rows of ${bytes(bare)} bytes are padded to ${before.length} of ${bytes(before)}`);
});

Deno.test("PUSH-19 nobody who is sent a padded store reads anything of it, and it leaves with the cover", async () => {
  const setting = await smallWorld(5);
  await using world = setting.world;
  const { manager, edge } = world;
  const device = await world.pair("laptop");
  await manager.sync();
  const { contents } = await device.client.verifyAll();
  assertEquals([contents.certificates, contents.messages, contents.channels], [5, 10, 1]);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 10);
  manager.policy = { ...DEFAULT_POLICY, fullUpToRows: 4 };
  assertEquals((await manager.sync()).reason, "store grew");
  const large = await seen(edge.database);
  // 10 and 11 rows, the stock of 256, and what makes it round.
  assertEquals([2, 3].map((tbl) => large.filter((row) => row.tbl === tbl).length), [384, 384]);
  manager.policy = DEFAULT_POLICY;
  await manager.sync();
  const small = (await seen(edge.database)).filter(({ tbl }) => tbl === 3);
  assertEquals(small.length, 16);
});

Deno.test("What padding does not hide: which channel got a message, and a size that no row had", async () => {
  const setting = await smallWorld(15);
  await using world = setting.world;
  const { manager, edge } = world;
  for (let index = 0; index < 3; index++) await manager.receive("other", mail(`message ${index}`));
  await manager.sync();
  // The list of channels, and the channels; the whole of table 3 does not show it.
  const before = await seen(edge.database);
  assertEquals(listLengths(before), [2, 3, 10]);
  await manager.receive("other", mail("one more"));
  await manager.sync();
  const after = await seen(edge.database);
  assertEquals(listLengths(after), [2, 4, 10]);
  assertEquals([before, after].map((rows) => rows.filter(({ tbl }) => tbl === 3).length), [16, 16]);
  // Nobody has a note as long as that.
  await manager.trust(await person(50), "n".repeat(1_000));
  await manager.sync();
  assert(sizesOf(await seen(edge.database), 2) !== sizesOf(after, 2));
});

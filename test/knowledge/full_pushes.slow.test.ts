/** What an edge that keeps everything learns from full pushes of a small store: what padding hides, and, measured, what it does not. */
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { DEFAULT_POLICY } from "../../manager/push/plan/mode.ts";
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
  for (const { size } of rows.filter((row) => row.tbl === tbl)) {
    counts.set(sizeClass(size), (counts.get(sizeClass(size)) ?? 0) + 1);
  }
  return [...counts].toSorted(([a], [b]) => a - b).map(([size, count]) => `${size}:${count}`).join(" ");
}

/** What the edge sees of the lists of messages, those of parts aside, which begin with number 0: from where to where each goes, its sizes. */
function listsOf(rows: readonly Seen[]): string[] {
  const lists = new Map<string, Seen[]>();
  for (const row of rows.filter(({ tbl, number }) => tbl === 3 && number > 0)) {
    lists.set(row.token, [...lists.get(row.token) ?? [], row]);
  }
  return [...lists.values()].map((list) => {
    const inOrder = list.toSorted((a, b) => a.number - b.number);
    assertEquals(inOrder.map(({ number }) => number), inOrder.map((_, index) => 1 + index));
    return `${list.length} rows of ${[...new Set(list.map(({ size }) => sizeClass(size)))].join(" and ")}`;
  }).toSorted();
}

/** The encoding of row numbers makes a byte or two of difference, which the number itself says as well. */
function sizeClass(size: number): number {
  return Math.floor(size / 8) * 8;
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
  assertEquals(messages, 64 + 4);
  assert(certificates !== undefined && certificates > 260 && certificates + 68 <= 600, String(certificates));
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
  assertEquals(small.length, 16 + 4);
});

Deno.test("PUSH-20 ROW-13 messages that come while there is room do not show, and devices read on as if nothing stood between them", async () => {
  const setting = await smallWorld(5);
  await using world = setting.world;
  const { manager, edge } = world;
  const device = await world.pair("laptop");
  for (let index = 0; index < 3; index++) await manager.receive("other", mail(`message ${index}`));
  await manager.receive("other", mail("a longer one", "b".repeat(3_000)));
  await manager.sync();
  const look = async () => {
    assertEquals((await manager.sync()).reason, "small store");
    const rows = await seen(edge.database);
    return [sizesOf(rows, 2), sizesOf(rows, 3), ...listsOf(rows)];
  };
  const quiet = await look();
  assertEquals(quiet.slice(2).map((list) => list.split(" ")[0]), ["16", "4", "4"]);
  for (let index = 0; index < 6; index++) {
    await manager.receive(CHANNEL, mail(`one more ${index}`, "c".repeat(40 * index)));
    assertEquals(await look(), quiet, `message ${index}`);
  }
  const { messages } = device.client;
  const all = await messages.list(CHANNEL);
  assertEquals([all.messages.map(({ position }) => position), all.more], [
    [...Array(16).keys()].map((n) => 16 - n),
    false,
  ]);
  // The next step: sixteen places more, of which one is taken.
  await manager.receive(CHANNEL, mail("one too many"));
  assert(String(await look()) !== String(quiet));
  const newest = await messages.list(CHANNEL, { limit: 2 });
  assertEquals([newest.messages.map(({ position }) => position), newest.more], [[17, 16], true]);
  const oldest = await messages.list(CHANNEL, { after: 14, limit: 10 });
  assertEquals([oldest.messages.map(({ position }) => position), oldest.more], [[15, 16, 17], false]);
  assertEquals((await messages.list(CHANNEL, { after: 17 })).messages, []);
  assertEquals((await messages.channels()).found.map(({ name }) => name), [CHANNEL, "other"]);
  assertEquals((await device.client.verifyAll()).contents.messages, 21);
});

Deno.test("PUSH-20 certificates of one subject stand among cover rows, in a power of two", async () => {
  const setting = await smallWorld(2);
  await using world = setting.world;
  const { manager } = world;
  const device = await world.pair("laptop");
  const ders = await Promise.all([1, 2, 3].map(() => certificate("CN=Twins")));
  for (const [index, der] of ders.entries()) await manager.trust(der, "n".repeat(300 * index));
  await manager.sync();
  const { certificates } = device.client;
  assertEquals((await certificates.bySubject("CN=Twins")).found.length, 3);
  await manager.forget(sha256(ders[1] ?? new Uint8Array(0)));
  await manager.sync();
  assertEquals((await certificates.bySubject("CN=Twins")).found.length, 2);
  assertEquals((await certificates.bySubject("CN=Nobody")).found, []);
  assertEquals((await device.client.verifyAll()).contents.certificates, 4);
});

Deno.test("What padding does not hide: a new channel, a step, the parts of a large message, and a size that no row had", async () => {
  const setting = await smallWorld(15);
  await using world = setting.world;
  const { manager, edge } = world;
  const look = async () => {
    await manager.sync();
    const rows = await seen(edge.database);
    return { rows, lists: listsOf(rows), parts: rows.filter(({ tbl, number }) => tbl === 3 && number === 0).length };
  };
  const before = await look();
  await manager.receive("other", mail("the first"));
  assertEquals((await look()).lists.length, before.lists.length + 1);
  await manager.receive("other", mail("large", "x".repeat(5_000)));
  assertEquals([before.parts, (await look()).parts], [0, 1]);
  // Nobody has a note as long as that.
  const certificates = sizesOf(before.rows, 2);
  await manager.trust(await person(50), "n".repeat(1_000));
  assert(sizesOf((await look()).rows, 2) !== certificates);
});

Deno.test("What an edge that lays full pushes side by side sees of a household's turns", async () => {
  const setting = await smallWorld(40);
  await using world = setting.world;
  const { manager, edge } = world;
  const text = (number: number) => "t".repeat(number * 7_919 % 600);
  for (let index = 0; index < 45; index++) {
    await manager.receive(`channel ${index % 3}`, mail(`m ${index}`, text(index)));
  }
  await manager.sync();
  const ders = [...setting.ders];
  const events: Readonly<Record<string, (turn: number) => Promise<void>>> = {
    "nothing": () => Promise.resolve(),
    "a message": (turn) => manager.receive(`channel ${turn % 3}`, mail(`new ${turn}`, text(turn))),
    "a new certificate": async (turn) => {
      const der = await person(100 + turn);
      await manager.trust(der, "n".repeat(40 * (turn % 5)));
      ders.push(der);
    },
    "one blocked": (turn) => manager.block(sha256(ders[turn % 20] ?? new Uint8Array(0))),
    "one forgotten": (turn) => manager.forget(sha256(ders[20 + turn] ?? new Uint8Array(0))),
  };
  const look = async () => {
    await manager.sync();
    const rows = await seen(edge.database);
    return String([1, 2, 3].map((tbl) => sizesOf(rows, tbl)).concat(listsOf(rows)));
  };
  const counts = new Map(Object.keys(events).map((name) => [name, 0]));
  const TURNS = 8;
  let before = await look();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [name, happen] of Object.entries(events)) {
      await happen(turn);
      const after = await look();
      if (after !== before) counts.set(name, (counts.get(name) ?? 0) + 1);
      before = after;
    }
  }
  console.log(
    `of ${TURNS} turns each, the edge sees: ${[...counts].map(([name, count]) => `${name} ${count}`).join(", ")}`,
  );
  assertEquals(counts.get("nothing"), 0);
  const sum = [...counts.values()].reduce((a, b) => a + b);
  assert(sum <= TURNS * (counts.size - 1) / 2, `${sum} of what happened`);
});

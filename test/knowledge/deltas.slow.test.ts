/** What an edge that keeps everything learns from deltas: what cover rows hide, and, measured, what they do not. */
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Database } from "../../shared/database/database.ts";
import { assert, assertEquals } from "../assert.ts";
import { INTERVAL_MILLIS } from "../fixtures/manager.ts";
import { World } from "../fixtures/world.ts";
import { certificate, CHANNEL, mail } from "../threats/setting.ts";

const COVER = 8;

/** A version of a row as the edge's database has it. */
interface Version extends Record<string, number | string> {
  tbl: number;
  place: string;
  token: string;
  born: number;
  died: number;
  size: number;
}

/** What an edge counts of one generation's delta, table by table. */
interface Seen {
  readonly fresh: readonly Version[];
  readonly replaced: readonly Version[];
  readonly gone: readonly Version[];
}

async function versions(database: Database): Promise<Version[]> {
  const sql = `SELECT tbl, hex(token) || '/' || number AS place, hex(token) AS token, born, died, size FROM rows
    WHERE tbl IN (2, 3) AND space = (SELECT space FROM owners)`;
  return [...(await database.execute<Version>({ sql, params: [] })).rows];
}

function seenAt(rows: readonly Version[], generation: number, tbl: number): Seen {
  const born = rows.filter((row) => row.tbl === tbl && row.born === generation);
  const died = rows.filter((row) => row.tbl === tbl && row.died === generation);
  const [came, went] = [new Set(born.map(({ place }) => place)), new Set(died.map(({ place }) => place))];
  return {
    fresh: born.filter(({ place }) => !went.has(place)),
    replaced: born.filter(({ place }) => went.has(place)),
    gone: died.filter(({ place }) => !came.has(place)),
  };
}

function countsOf({ fresh, replaced, gone }: Seen): number[] {
  return [fresh.length, replaced.length, gone.length];
}

/** An owner with 40 certificates and a channel, above the threshold, whose deltas are covered; generation 1 is pushed. */
async function coveredWorld(coverRows = COVER): Promise<World> {
  const world = await World.create();
  world.manager.policy = { ...world.manager.policy, coverRows };
  await world.pair("phone");
  for (let i = 0; i < 40; i++) await world.manager.trust(await certificate(`CN=Person ${10 + i}`), "n".repeat(i * 5));
  for (let i = 0; i < 10; i++) await world.manager.receive(CHANNEL, mail(`message ${i}`, "b".repeat(100 * i)));
  await world.manager.sync();
  return world;
}

Deno.test("PUSH-16 deltas of none, 1 and up to 8 changed rows look alike by counts and sizes, in each table", async () => {
  await using world = await coveredWorld();
  const { manager, edge } = world;
  const ders = await Promise.all(Array.from({ length: 10 }, (_, i) => certificate(`CN=Person ${60 + i}`)));
  const turns: readonly (() => Promise<void>)[] = [
    () => Promise.resolve(),
    () => manager.trust(ders[0] ?? new Uint8Array(0)),
    async () => {
      for (const der of ders.slice(1, 5)) await manager.trust(der);
    },
    () => manager.block(sha256(ders[0] ?? new Uint8Array(0))),
    async () => {
      for (const der of ders.slice(1, 5)) await manager.block(sha256(der));
    },
    () => manager.forget(sha256(ders[0] ?? new Uint8Array(0))),
    async () => {
      for (const der of ders.slice(1, 5)) await manager.forget(sha256(der));
    },
    () => manager.receive(CHANNEL, mail("one more")),
    async () => {
      for (let i = 0; i < 8; i++) await manager.receive(CHANNEL, mail(`more ${i}`));
    },
    async () => {
      await manager.trust(ders[7] ?? new Uint8Array(0));
      await manager.block(sha256(ders[7] ?? new Uint8Array(0)));
      await manager.receive(CHANNEL, mail("last"));
    },
  ];
  const before = await edge.database.execute<{ messages: number }>({
    sql: "SELECT certificates + messages AS messages FROM spaces WHERE no = (SELECT space FROM owners)",
    params: [],
  });
  for (const [index, turn] of turns.entries()) {
    await turn();
    const { pushed } = await manager.sync();
    assert(!pushed.isFull);
    const rows = await versions(edge.database);
    assertEquals(countsOf(seenAt(rows, pushed.generation, 2)), [COVER, COVER, COVER], `turn ${index}, certificates`);
    assertEquals(countsOf(seenAt(rows, pushed.generation, 3)), [COVER, 0, COVER], `turn ${index}, messages`);
    // No size but those that rows of the full push have, too.
    for (const tbl of [2, 3]) {
      const usual = new Set(rows.filter((row) => row.tbl === tbl && row.born === 0).map(({ size }) => sizeClass(size)));
      const { fresh } = seenAt(rows, pushed.generation, tbl);
      assertEquals(fresh.filter(({ size }) => !usual.has(sizeClass(size))).length, 0, `turn ${index}, table ${tbl}`);
    }
  }
  // Nor do the totals move: what comes and what goes is one number.
  const after = await edge.database.execute<{ messages: number }>({
    sql: "SELECT certificates + messages AS messages FROM spaces WHERE no = (SELECT space FROM owners)",
    params: [],
  });
  assertEquals(after.rows, before.rows);
});

/** The encoding of row numbers makes a few bytes of difference, which the number itself says as well. */
function sizeClass(size: number): number {
  return Math.round(size / 16);
}

Deno.test("ROW-13 devices ignore cover rows: whole tables, lookups, lists and the content root are as without", async () => {
  await using world = await coveredWorld();
  const { manager } = world;
  const device = await world.pair("laptop");
  await manager.sync();
  for (let i = 0; i < 5; i++) {
    await manager.receive(CHANNEL, mail(`later ${i}`));
    await manager.sync();
  }
  const { contents } = await device.client.verifyAll();
  assertEquals([contents.certificates, contents.messages, contents.channels], [40, 15, 1]);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 15);
  assertEquals((await device.client.certificates.bySubject("CN=Person 33")).found.length, 1);
});

Deno.test("PUSH-17 the store does not grow by its cover, a new epoch sets the stock anew, and none is left without it", async () => {
  await using world = await coveredWorld();
  const { manager, edge } = world;
  const alive = async () => (await versions(edge.database)).filter(({ died }) => died > 2 ** 50).length;
  const first = await alive();
  // 40 certificates twice, 10 messages, a channel; the least stock of both tables, 256 rows each, and what makes the sums round (PUSH-19).
  assertEquals(first, 384 + 384);
  for (let i = 0; i < 40; i++) await manager.sync();
  assertEquals(await alive(), first);
  await manager.sync({ rotate: true });
  assertEquals(await alive(), first);
  manager.policy = { ...manager.policy, coverRows: 0 };
  await manager.sync();
  assertEquals(await alive(), first);
  await manager.sync({ rotate: true });
  assertEquals(await alive(), 91);
});

Deno.test("What cover does not hide: messages of a channel are counted, and rows that stay tell themselves from those that go", async () => {
  await using world = await coveredWorld();
  const { manager, edge } = world;
  const known = new Set((await versions(edge.database)).filter(({ tbl }) => tbl === 3).map(({ token }) => token));
  for (let i = 0; i < 3; i++) await manager.receive(CHANNEL, mail(`three ${i}`));
  for (let i = 0; i < 2; i++) await manager.trust(await certificate(`CN=Person ${60 + i}`));
  const { pushed } = await manager.sync();
  const { generation } = pushed;
  const now = seenAt(await versions(edge.database), generation, 3);
  // A cover row stands in a list of its own: rows in a list that was there are not cover.
  assertEquals(now.fresh.filter(({ token }) => known.has(token)).length, 3);

  // Real rows stay. Of the cover rows of a table, one in 32 goes with each delta; an edge that waits sees who is left.
  const left = async () => {
    const rows = (await versions(edge.database)).filter(({ tbl, born, died }) =>
      tbl === 2 && born === generation && died > 2 ** 50
    );
    return new Set(rows.map(({ place }) => place)).size;
  };
  const trace: number[] = [];
  for (let i = 0; i < 120; i++) {
    world.clock.advance(INTERVAL_MILLIS);
    await manager.sync();
    if (i % 30 === 29) trace.push(await left());
  }
  assert(trace.every((count) => count <= 8 + COVER), String(trace));
  console.log(
    `of 8 fresh and ${COVER} replaced rows, 4 of them real, there are left after 30, 60, 90, 120 deltas: ${trace}`,
  );
  assert((trace.at(-1) ?? 0) < 8, "cover rows go");
  assert((trace.at(-1) ?? 0) >= 4, "and real ones stay");
});

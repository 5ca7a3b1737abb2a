/** `postern edge dump` and `postern verify --dump`: a copy of the edge's file, as it is and as an adversary makes it. */
import { sha256 } from "../../../shared/crypto/hash.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { EDGE_MIGRATIONS } from "../../../edge/store/migrations.ts";
import { DUMP_TABLES, DUMP_VERSION } from "../../../manager/doctor/dump/schema.ts";
import { assert, assertEquals } from "../../assert.ts";
import { pairCli as pair } from "./devices.ts";
import { CliWorld } from "./harness.ts";

/** An owner with a device, certificates, and five generations, the last ones deltas; its edge's file dumped to `edge.dump`. */
async function dumped(): Promise<CliWorld> {
  const world = await CliWorld.ready();
  await pair(world, "laptop");
  await pair(world, "phone");
  await world.json("settings", "--full-up-to", "0");
  await world.json("sync");
  await world.json("cert", "import", "--runtime", "--trust");
  for (let turn = 0; turn < 4; turn++) await world.json("sync");
  await world.json("edge", "dump", "--database", "file:edge.db", "--output", "edge.dump");
  return world;
}

/** A copy of the dump of this name, changed by statements. */
async function changed(world: CliWorld, name: string, ...statements: readonly string[]): Promise<string> {
  await Deno.copyFile(world.path("edge.dump"), world.path(name));
  const database = await openDatabase(`file:${world.path(name)}`);
  for (const sql of statements) await database.execute({ sql, params: [] });
  await database.execute({ sql: "PRAGMA wal_checkpoint(TRUNCATE)", params: [] });
  await database.close();
  return name;
}

async function filesOf(world: CliWorld): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(world.folder)) names.push(name);
  for await (const { name } of Deno.readDir(world.manager)) names.push(name);
  return names.sort();
}

Deno.test("STORE-04, STORE-05 a dump of an edge is verified whole without the network, and stays as it is", async () => {
  await using world = await dumped();
  assertEquals(((await Deno.stat(world.path("edge.dump"))).mode ?? 0) & 0o777, 0o600);
  const before = await Deno.readFile(world.path("edge.dump"));
  const files = await filesOf(world);
  world.clock.advance(60_000);
  const shown = await world.json("verify", "--dump", "edge.dump") as Record<string, unknown>;
  const { rows, contents, time, nextDue, dump, ...rest } = shown;
  assert(typeof rows === "number" && rows > 200 && typeof time === "string" && typeof nextDue === "string");
  assertEquals(dump, world.path("edge.dump"));
  assertEquals((contents as { devices: number }).devices, 2);
  assert(typeof rest.blocks === "number" && rest.blocks > 30);
  assertEquals({ ...rest, blocks: 0 }, {
    ...{ verified: true, generation: 5, epoch: 1, classicalDevices: 0, statement: 1, blocks: 0, historyNodes: 7 },
    ...{ logins: 2, ageMillis: 60_000, freshness: "fresh", isNewest: true, newestConfirmed: 5 },
  });
  assert((await world.text("verify", "--dump", "edge.dump")).includes("the newest generation"));
  assertEquals(await Deno.readFile(world.path("edge.dump")), before);
  assertEquals(await filesOf(world), files);
  // The database itself, with what is still in its write-ahead log, is as good as a dump.
  await world.json("verify", "--dump", "edge.db");
});

Deno.test("STORE-05 a dump from before the newest push is rolled back unless it is meant to be old; a late one is told as late", async () => {
  await using world = await dumped();
  await world.json("sync");
  assert((await world.fails(76, ["verify", "--dump", "edge.dump"])).includes("rolled_back"));
  const old = await world.json("verify", "--dump", "edge.dump", "--old") as Record<string, unknown>;
  assertEquals([old.generation, old.newestConfirmed, old.isNewest], [5, 6, false]);
  world.clock.advance(86_400_000);
  const late = await world.json("verify", "--dump", "edge.dump", "--old") as Record<string, unknown>;
  assertEquals(late.freshness, "overdue");
  await world.json("rotate");
  await world.json("sync");
  assert((await world.fails(75, ["verify", "--dump", "edge.dump", "--old"])).includes("epoch_gone"));
  await world.fails(2, ["verify", "--old"]);
});

Deno.test("STORE-05 a dump with what another copy of the manager signed is forked", async () => {
  await using world = await dumped();
  await Deno.copyFile(world.path("manager/manager.db"), world.path("kept.db"));
  await Deno.copyFile(world.path("manager/manager.db-wal"), world.path("kept.db-wal")).catch(() => {});
  await world.json("sync");
  await world.json("edge", "dump", "--database", "file:edge.db", "--output", "later.dump");
  for (const name of ["manager.db", "manager.db-wal", "manager.db-shm"]) {
    await Deno.remove(`${world.manager}/${name}`).catch(() => {});
  }
  await Deno.copyFile(world.path("kept.db"), world.path("manager/manager.db"));
  await Deno.copyFile(world.path("kept.db-wal"), world.path("manager/manager.db-wal")).catch(() => {});
  assert((await world.fails(76, ["verify", "--dump", "later.dump"])).includes("forked"));
});

/** A body that ends in another byte than it did. */
const OTHER_END = "CAST(substr(body, 1, size - 1) || iif(substr(body, size) = x'00', x'01', x'00') AS BLOB)";

/** What is done to a dump, the exit code, and the code of the error. */
const ATTACKS: readonly (readonly [what: string, sql: string | readonly string[], exit: number, code: string])[] = [
  ["a byte of the head", "UPDATE owners SET head = CAST(head || x'00' AS BLOB)", 76, "tampered"],
  ["no head", "UPDATE owners SET head = NULL", 76, "tampered"],
  ["a statement of nobody", "UPDATE owners SET statement = head", 76, "tampered"],
  ["another generation", "UPDATE owners SET generation = 4", 76, "tampered"],
  ["another history", "UPDATE owners SET history = 3", 76, "tampered"],
  ["another count", "UPDATE spaces SET certificates = certificates - 1", 76, "tampered"],
  ["another space", "UPDATE owners SET space = space + 1", 76, "tampered"],
  ["no owner", "DELETE FROM owners", 76, "rolled_back"],
  ["a row less", "DELETE FROM rows WHERE id = (SELECT max(id) FROM rows WHERE tbl = 2)", 76, "withheld"],
  ["a table", "DELETE FROM rows WHERE tbl = 1", 76, "withheld"],
  [
    "a bit of a row",
    `UPDATE rows SET body = ${OTHER_END}
      WHERE id = (SELECT max(id) FROM rows WHERE tbl = 2)`,
    76,
    "tampered",
  ],
  [
    "two rows swapped",
    `UPDATE rows SET body = (SELECT r.body FROM rows r WHERE r.tbl = 2 ORDER BY r.id LIMIT 1)
      WHERE id = (SELECT max(id) FROM rows WHERE tbl = 2)`,
    76,
    "tampered",
  ],
  [
    "a row again",
    [
      "DROP INDEX rows_place",
      `INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
        SELECT owner, space, tbl, token, number, born, died, size, body FROM rows WHERE tbl = 2 ORDER BY id DESC LIMIT 1`,
    ],
    76,
    "tampered|withheld",
  ],
  ["another size", "UPDATE rows SET size = size + 1 WHERE tbl = 1", 76, "tampered"],
  ["a block less", "DELETE FROM rows WHERE id = (SELECT max(id) FROM rows WHERE tbl = 12)", 76, "withheld"],
  [
    "a hash of a block",
    `UPDATE rows SET body = ${OTHER_END} WHERE id = (SELECT max(id) FROM rows WHERE tbl = 12)`,
    76,
    "tampered",
  ],
  [
    "a block more",
    `INSERT INTO rows (owner, space, tbl, token, number, born, died, size, body)
      SELECT owner, space, 12, CAST('0123456789' AS BLOB), 0, born, died, size, body FROM rows WHERE tbl = 12 ORDER BY id DESC LIMIT 1`,
    76,
    "tampered",
  ],
  ["a node of the history less", "DELETE FROM history WHERE level = 1 AND idx = 0", 76, "withheld"],
  ["a node of the history", "UPDATE history SET hash = zeroblob(32) WHERE level = 0 AND idx = 1", 76, "tampered"],
  ["a top of the history", "UPDATE history SET hash = zeroblob(32) WHERE level = 2", 76, "tampered"],
  [
    "the login key of another device",
    "UPDATE devices SET public_key = (SELECT max(public_key) FROM devices)",
    76,
    "tampered",
  ],
  ["a registration", "UPDATE devices SET registration = registration + 1", 76, "tampered"],
  ["a login less", "DELETE FROM devices WHERE device = (SELECT max(device) FROM devices)", 76, "withheld"],
  [
    "a login of somebody else's",
    `INSERT INTO devices (owner, space, device, born, died, registration, row, public_key)
      SELECT owner, space, zeroblob(16), born, died, registration, row, public_key FROM devices LIMIT 1`,
    76,
    "tampered",
  ],
  ["a newer version", "INSERT INTO postern_migrations VALUES (6, 'more')", 65, "unsupported"],
  ["an older version", "DELETE FROM postern_migrations WHERE version = 5", 65, "unsupported"],
  ["a table less", "DROP TABLE history", 65, "malformed"],
  [
    "a view for a table",
    ["ALTER TABLE history RENAME TO h", "CREATE VIEW history AS SELECT * FROM h"],
    65,
    "malformed",
  ],
  [
    "a column that computes",
    ["ALTER TABLE history RENAME COLUMN hash TO h", "ALTER TABLE history ADD COLUMN hash BLOB AS (h)"],
    65,
    "malformed",
  ],
];

Deno.test("STORE-04 whatever is changed in a dump is found, and called by its name", async () => {
  await using world = await dumped();
  for (const [index, [what, sql, exit, codes]] of ATTACKS.entries()) {
    const file = await changed(world, `${index}.dump`, ...(typeof sql === "string" ? [sql] : sql));
    const ran = await world.run(["verify", "--dump", file]);
    assert(new RegExp(`\\b(${codes})\\b`).test(ran.err), `${what}: ${ran.code} ${ran.err}${ran.out}`);
    assertEquals(ran.code, exit, `${what}: ${ran.err}`);
  }
});

Deno.test("STORE-04 what is no database of an edge is malformed, whatever its bytes", async () => {
  await using world = await dumped();
  await world.write("photo.jpg", "not a database at all, but long enough for a header".repeat(20));
  await world.write("empty", "");
  await world.fails(65, ["verify", "--dump", "photo.jpg"]);
  await world.fails(65, ["verify", "--dump", "empty"]);
  await world.fails(65, ["verify", "--dump", "manager/manager.db"]);
  await world.fails(66, ["verify", "--dump", "nowhere"]);
  await world.fails(65, ["verify", "--dump", "."]);
  // Pages overwritten all over the file: found by SQLite or by us, and never passed.
  const bytes = await Deno.readFile(world.path("edge.dump"));
  for (let page = 0; page < bytes.length / 4_096; page += 7) {
    const broken = bytes.slice();
    broken.set(sha256(bytes.subarray(page * 4_096, page * 4_096 + 1_000)), page * 4_096 + 8);
    await Deno.writeFile(world.path("broken"), broken);
    const ran = await world.run(["verify", "--dump", "broken"]);
    if (ran.code === 0) continue;
    assert([65, 76].includes(ran.code), `page ${page} of ${toHex(sha256(bytes))}: ${ran.code} ${ran.err}`);
  }
});

Deno.test("edge dump refuses what it cannot copy, and overwrites nothing", async () => {
  await using world = await CliWorld.ready();
  await world.fails(2, ["edge", "dump", "--output", "x"]);
  await world.fails(65, ["edge", "dump", "--database", "https://db.example", "--output", "x"]);
  await world.fails(66, ["edge", "dump", "--database", "file:nowhere.db", "--output", "x"]);
  await world.write("edge.env", "POSTERN_DATABASE_URL=file:edge.db\n");
  await world.json("edge", "dump", "--env-file", "edge.env", "--output", "x");
  await world.fails(73, ["edge", "dump", "--env-file", "edge.env", "--output", "x"]);
  await world.fails(66, ["verify", "--dump", "x"]);
});

Deno.test("STORE-04 the tables that a verifier reads are those that an edge makes, in the version that it knows", async () => {
  assertEquals(DUMP_VERSION, EDGE_MIGRATIONS.length);
  await using world = await CliWorld.ready();
  for (const [table, columns] of Object.entries(DUMP_TABLES)) {
    const { rows } = await world.edge.database.execute<{ name: string }>({
      sql: "SELECT name FROM pragma_table_xinfo(?)",
      params: [table],
    });
    const names = rows.map(({ name }) => name);
    assertEquals(columns.filter((column) => !names.includes(column)), [], table);
  }
});

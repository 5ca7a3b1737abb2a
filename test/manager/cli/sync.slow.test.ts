import { lockDataFolder } from "../../../manager/files/lock.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { pairCli as pair } from "./devices.ts";
import { CliWorld } from "./harness.ts";

const DAY = 86_400_000;

interface Turn {
  readonly generation: number;
  readonly epoch: number;
  readonly full: boolean;
  readonly reason: string | null;
  readonly inbox: { readonly done: number };
}

Deno.test("sync pushes, rotate renews the epoch, verify reads it all back, and a device reads the same", async () => {
  await using world = await CliWorld.ready();
  const laptop = await pair(world, "laptop");
  await world.json("settings", "--full-up-to", "0");
  const first = await world.json("sync") as Turn;
  assertEquals([first.generation, first.epoch, first.full, first.reason], [1, 1, true, "first"]);
  await laptop.login();
  const second = await world.json("sync") as Turn;
  assertEquals([second.generation, second.epoch, second.full], [2, 1, false]);
  const rotated = await world.json("rotate") as Turn;
  assertEquals([rotated.generation, rotated.epoch, rotated.reason], [3, 2, "asked"]);
  await laptop.submit.ping();
  const third = await world.json("sync") as Turn;
  assertEquals(third.inbox.done, 1);
  const verified = await world.json("verify") as {
    verified: boolean;
    generation: number;
    contents: { devices: number };
  };
  assertEquals([verified.verified, verified.generation, verified.contents.devices], [true, 4, 1]);
  const report = await laptop.verifyAll();
  assertEquals(report.contents.devices, 1);
  assert((await world.text("status")).includes("generation 4, epoch 2"));
});

Deno.test("sync waits for another turn no longer than it should, and says who holds the lock", async () => {
  await using world = await CliWorld.ready();
  await using _lock = await lockDataFolder(world.manager, { pid: 4711, sinceMillis: world.clock.now() });
  // The test's clock stands still, so that the wait would have no end: it is moved by whoever looks at it.
  const ticking = setInterval(() => world.clock.advance(5_000), 5);
  try {
    assert((await world.fails(74, ["sync"])).includes("4711"));
  } finally {
    clearInterval(ticking);
  }
});

Deno.test("sync says that the edge cannot be reached, and loses nothing", async () => {
  await using world = await CliWorld.empty();
  await world.json("init", ...world.edgeArgs, "--key-file", "kek.key", "--recovery-file", "r.txt");
  assert((await world.fails(69, ["sync"])).includes("could not be reached"));
  const status = await world.json("status") as { generation: number };
  assertEquals(status.generation, 0);
});

Deno.test("sync refuses a clock that is a day behind or a year ahead, until the owner confirms it", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  const behind = await world.run(["sync"], { offMillis: -DAY });
  assertEquals(behind.code, 72, behind.err);
  assert(behind.err.includes("clock confirm"));
  const ahead = await world.run(["sync"], { offMillis: 365 * DAY });
  assertEquals(ahead.code, 72, ahead.err);
  const { alarms } = await world.json("alarm", "list") as { alarms: { id: number; code: string }[] };
  assertEquals(alarms.map(({ code }) => code), ["clock", "clock"]);
  assertEquals(await world.json("alarm", "clear", String(alarms[0]?.id)), { cleared: 1 });
  assertEquals(await world.json("alarm", "clear"), { cleared: 1 });
  world.clock.advance(40 * DAY);
  await world.fails(72, ["sync"]);
  await world.fails(2, ["clock", "confirm"]);
  await world.json("clock", "confirm", "--yes");
  await world.json("sync");
});

Deno.test("sync meets an edge that lost everything: it fills it anew and raises an alarm", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  await world.replaceEdge("empty.db");
  await world.fails(76, ["verify"]);
  assertEquals((await world.json("sync") as Turn).reason, "edge lost");
  const { alarms } = await world.json("alarm", "list") as { alarms: { code: string }[] };
  assertEquals(alarms.map(({ code }) => code), ["rolled_back"]);
  assert((await world.json("verify") as { verified: boolean }).verified);
});

Deno.test("verify finds a row that the edge withholds, and exits with 76", async () => {
  await using world = await CliWorld.ready();
  await world.fails(66, ["verify"]);
  await world.json("cert", "import", "--runtime", "--trust");
  await world.json("sync");
  const sql = "DELETE FROM rows WHERE id = (SELECT max(id) FROM rows WHERE tbl = 2)";
  await world.edge.database.execute({ sql, params: [] });
  assert((await world.fails(76, ["verify"])).includes("withheld"));
});

Deno.test("verify asks for single answers as well, and finds an edge that proves none of them", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  assertEquals((await world.json("verify") as { provenTables: number }).provenTables, 4);
  assert((await world.text("verify")).includes("not covered"));
  world.edge.lies.proven = async (store, ...asked) => ({ ...await store.proven(...asked), proof: null });
  assert((await world.fails(76, ["verify"])).includes("withheld"));
});

Deno.test("verify calls an overdue head stale", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  world.clock.advance(DAY);
  assert((await world.fails(76, ["verify"])).includes("stale"));
});

Deno.test("run does a turn at once, one at each interval, and stops cleanly when told", async () => {
  await using world = await CliWorld.ready();
  const stop = new AbortController();
  const running = world.run(["run", "--json"], { stop: stop.signal });
  let isOver = false;
  const ended = running.finally(() => isOver = true);
  while (!isOver) {
    const { generation } = await world.json("status") as { generation: number };
    if (generation >= 2) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop.abort(new Error("stopped by the test"));
  const { code, out, err } = await ended;
  assertEquals(code, 0, err);
  const turns = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(turns.length >= 2);
  assert(turns.every(({ ok, nextMillis }) => ok === true && nextMillis >= 270_000 && nextMillis <= 330_000));
  assert(err.endsWith("Stopped\n"));
  await assertRejects(async () => {
    await using lock = await lockDataFolder(world.manager, { pid: 1, sinceMillis: 0 });
    assertEquals(lock.crashed, null);
    await lockDataFolder(world.manager, { pid: 2, sinceMillis: 0 });
  }, "storage");
});

import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

interface Doctor {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly level: string;
    readonly found: string;
    readonly remedy: string | null;
  }[];
}

/** What the doctor finds wrong, which it must say a remedy for. */
async function wrong(world: CliWorld, offMillis = 0, ...more: string[]): Promise<string[]> {
  const { code, out } = await world.run(["doctor", "--json", ...more], { offMillis });
  const { ok, findings } = JSON.parse(out) as Doctor;
  const found = findings.filter(({ level }) => level === "fault" || level === "warning");
  assertEquals([ok, code], found.length === 0 ? [true, 0] : [false, 3]);
  assert(findings.every(({ level, remedy }) => (level === "good") === (remedy === null)));
  return found.map(({ check }) => check);
}

Deno.test("doctor finds nothing wrong when all is well, before and after the first push", async () => {
  await using world = await CliWorld.ready();
  assertEquals(await wrong(world), []);
  await world.json("sync");
  assertEquals(await wrong(world), []);
  assert((await world.text("doctor")).endsWith("Nothing is wrong\n"));
});

Deno.test("doctor says what the edge sees of pushes, with cover rows and without", async () => {
  await using world = await CliWorld.ready();
  const said = async () => {
    const { findings } = JSON.parse((await world.run(["doctor", "--json"])).out) as Doctor;
    const of = (name: string) => findings.filter(({ check }) => check === name);
    return [of("pushes").map(({ level }) => level), of("database").map(({ found }) => / cover rows?/.test(found))];
  };
  assertEquals(await said(), [[], [false]]);
  await world.write("letter.eml", "Subject: hello\r\n\r\nhello\r\n");
  await world.json("message", "import", "letter.eml");
  await world.json("settings", "--full-up-to", "0");
  await world.json("sync");
  assertEquals(await said(), [["good"], [true]]);
  await world.json("settings", "--cover", "0");
  assertEquals((await said())[0], ["note"]);
});

Deno.test("doctor finds files that others may read, and says the command that mends it", async () => {
  await using world = await CliWorld.ready();
  await Deno.chmod(world.manager, 0o755);
  await Deno.chmod(`${world.manager}/manager.db`, 0o644);
  await Deno.chmod(world.path("kek.key"), 0o640);
  const { out, code } = await world.run(["doctor"]);
  assertEquals(code, 3);
  for (const remedy of ["chmod 0700", "chmod 0600"]) assert(out.includes(remedy), out);
  // The key file is refused by everything else, too, so there is no more to look at.
  assert(out.includes("kek.key"));
});

Deno.test("doctor finds a clock that is wrong by the edge's, and by the last head's", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  assertEquals(await wrong(world, -86_400_000), ["clock", "clock"]);
  assertEquals(await wrong(world, 2 * LIMITS.maxClockLeadMillis), ["heads", "clock"]);
});

Deno.test("doctor finds an overdue head, an edge that is away, and says nothing of it offline", async () => {
  await using world = await CliWorld.ready();
  await world.json("sync");
  world.clock.advance(3_600_000);
  assertEquals(await wrong(world), ["heads"]);
  await world.replaceEdge("empty.db");
  assertEquals(await wrong(world), ["heads", "edge"]);
  assertEquals(await wrong(world, 0, "--offline"), ["heads"]);
});

Deno.test("doctor finds an edge that does not admit the owner, or has another key", async () => {
  await using world = await CliWorld.ready();
  await using other = await CliWorld.ready();
  await world.json(
    "edge",
    "url",
    world.identity.name.origin,
    "--edge-key",
    (await other.json("edge", "url") as { key: string }).key,
  );
  const { out, code } = await world.run(["doctor"]);
  assertEquals(code, 3);
  assert(out.includes("POSTERN_EDGE_KEY"), out);
});

Deno.test("doctor looks at what init left unfinished, and at no folder at all", async () => {
  await using world = await CliWorld.empty();
  assertEquals(await wrong(world), ["data folder"]);
  const { out } = await world.run(["doctor"]);
  assert(out.includes("postern init"));
});

Deno.test("status and settings say what was chosen, and refuse what is out of bounds", async () => {
  await using world = await CliWorld.ready();
  for (
    const args of [["--interval", "5"], ["--interval", "2d"], ["--full-up-to", "-1"], ["--cover", "65"], [
      "--max-epoch",
      "1m",
    ], [
      "--review",
      "none",
    ]]
  ) {
    await world.fails(2, ["settings", ...args]);
  }
  const changed = await world.json(
    "settings",
    "--interval",
    "90s",
    "--full-up-to",
    "7",
    "--max-epoch",
    "2d",
    "--cover",
    "4",
  );
  assertEquals(changed, {
    intervalSeconds: 90,
    fullUpToRows: 7,
    maxEpochSeconds: 172_800,
    review: "untrusted",
    coverRows: 4,
  });
  assertEquals(await world.json("settings"), changed);
  assert((await world.text("status")).includes("never: postern sync"));
});

Deno.test("alarm list and clear say that there is nothing", async () => {
  await using world = await CliWorld.ready();
  assertEquals(await world.json("alarm", "list"), { alarms: [] });
  assertEquals(await world.json("alarm", "clear"), { cleared: 0 });
});

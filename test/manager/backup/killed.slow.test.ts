/** Processes that die while they back up or restore: there is no half file, no half manager, and the next attempt goes through. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { runManager } from "../../faults/processes.ts";
import { CliWorld } from "../cli/harness.ts";

/** More than either has: a series that does not end is a mistake of the test. */
const MOST_POINTS = 200;
/** Every write of a restore, which takes a while (46 of them); each third one otherwise. */
const ALL_POINTS = Deno.env.get("POSTERN_ALL_POINTS") !== undefined;

async function filled(): Promise<CliWorld> {
  const world = await CliWorld.ready();
  for (let i = 0; i < 30; i++) await world.write(`${i}.eml`, `Subject: ${i}\r\n\r\n${"x".repeat(20_000)}`);
  await world.json("message", "import", ...Array.from({ length: 30 }, (_, i) => world.path(`${i}.eml`)));
  return world;
}

/**
 * Runs the command again and again, killed at its first write, its second and so on, until it comes to its end.
 *
 * @param step 1 for every write, 3 for each third one
 * @returns how often it was killed
 */
async function killedAtEach(
  world: CliWorld,
  args: readonly string[],
  step: number,
  after: (hasEnded: boolean) => Promise<void>,
): Promise<number> {
  const fault = world.path("fault");
  const env = { POSTERN_DATA: world.manager, FAULT_AT_WRITE: fault };
  for (let kills = 0; kills <= MOST_POINTS; kills++) {
    await Deno.writeFile(fault, utf8(String(1 + kills * step)));
    const { code, signal, err } = await runManager(args, env).ended;
    const hasStruck = !await exists(fault);
    assert(signal === "SIGKILL" || code === 0, err);
    await after(!hasStruck);
    if (hasStruck) continue;
    await Deno.remove(fault);
    return kills;
  }
  throw new Error(`More than ${MOST_POINTS} points`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

const temporaryIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).filter(isTemporary);
const isTemporary = (name: string) => name.startsWith(".postern-");

Deno.test("backup create that is killed at any write leaves no half file, and the next one is whole (BACKUP-07)", async () => {
  await using world = await filled();
  const file = world.path("one.backup");
  const verify = ["backup", "verify", file, "--recovery-file", "recovery.txt"];
  const points = await killedAtEach(world, ["backup", "create", file], 1, async (hasEnded) => {
    if (await exists(file)) await world.json(...verify);
    else assert(!hasEnded);
    await Deno.remove(file).catch(() => {});
  });
  console.log(`${points} kill points: ${points} recovered`);
  assert(points > 0);
  // What the killed ones left in the data folder is swept by the next.
  await world.json("backup", "create", file);
  assertEquals(temporaryIn(world.manager), []);
});

Deno.test("backup create that is killed while it copies, writes or reads back leaves no half file (BACKUP-07)", async () => {
  await using world = await filled();
  const target = world.path("target");
  await Deno.mkdir(target);
  const file = `${target}/one.backup`;
  for (const [folder, least] of [[world.manager, 0], [target, 0], [target, 100_000], [target, 600_000]] as const) {
    const manager = runManager(["backup", "create", file], { POSTERN_DATA: world.manager });
    const ended = manager.ended.then(() => true);
    const reached = async () =>
      temporaryIn(folder).some((name) => Deno.statSync(`${folder}/${name}`).size >= least) || await exists(file);
    while (!await Promise.race([ended, reached().catch(() => false)])) await new Promise((go) => setTimeout(go, 1));
    await manager.kill();
    if (await exists(file)) await world.json("backup", "verify", file, "--recovery-file", "recovery.txt", "--json");
    await Deno.remove(file).catch(() => {});
    for (const name of temporaryIn(target)) await Deno.remove(`${target}/${name}`);
  }
  await world.json("backup", "create", file);
  assertEquals([temporaryIn(world.manager), temporaryIn(target)], [[], []]);
});

Deno.test("backup restore that is killed at any write is no manager, and the next one starts over (BACKUP-08)", async () => {
  await using world = await filled();
  // By a process of its own too: the clock of this one is the test's.
  const file = world.path("one.backup");
  assertEquals((await runManager(["backup", "create", file], { POSTERN_DATA: world.manager }).ended).code, 0);
  const folder = world.path("restored");
  const args = [
    ...["backup", "restore", file, "--recovery-file", world.path("recovery.txt")],
    ...["--key-file", world.path("new.key"), "--data", folder, "--devices", "all", "--offline"],
  ];
  const status = ["status", "--data", folder, "--json"];
  let starts = 0;
  const points = await killedAtEach(world, args, ALL_POINTS ? 1 : 3, async (hasEnded) => {
    const { code } = await world.run(status);
    assert(code === 0 || !hasEnded);
    if (code !== 0) {
      assertEquals(code, 78);
      starts++;
      await world.json(...args);
    }
    assertEquals((await world.run(status)).code, 0);
    await Deno.remove(folder, { recursive: true });
  });
  console.log(`${points} kill points: ${points} recovered, ${starts} by starting over`);
  assert(points > 10 && starts > 10);
});

/** A process that dies while it backs up, between its writes too: there is no half file, and the next attempt goes through. */
import { assert, assertEquals } from "../../assert.ts";
import { runManager } from "../../faults/processes.ts";
import { CliWorld } from "../cli/harness.ts";

async function filled(): Promise<CliWorld> {
  const world = await CliWorld.ready();
  for (let i = 0; i < 30; i++) await world.write(`${i}.eml`, `Subject: ${i}\r\n\r\n${"x".repeat(20_000)}`);
  await world.json("message", "import", ...Array.from({ length: 30 }, (_, i) => world.path(`${i}.eml`)));
  return world;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

const temporaryIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).filter(isTemporary);
const isTemporary = (name: string) => name.startsWith(".postern-");

Deno.test("backup create that is killed while it copies, writes or reads back leaves no half file (BACKUP-07)", async () => {
  await using world = await filled();
  const target = world.path("target");
  await Deno.mkdir(target);
  const file = `${target}/one.backup`;
  let left = 0;
  for (const [folder, least] of [[world.manager, 0], [target, 0], [target, 100_000], [target, 600_000]] as const) {
    const manager = runManager(["backup", "create", file], { POSTERN_DATA: world.manager });
    const ended = manager.ended.then(() => true);
    const reached = async () =>
      temporaryIn(folder).some((name) => Deno.statSync(`${folder}/${name}`).size >= least) || await exists(file);
    while (!await Promise.race([ended, reached().catch(() => false)])) await new Promise((go) => setTimeout(go, 1));
    await manager.kill();
    if (await exists(file)) await world.json("backup", "verify", file, "--recovery-file", "recovery.txt", "--json");
    await Deno.remove(file).catch(() => {});
    left = Math.max(left, temporaryIn(target).length);
    // The next one takes away what the one before left.
    assert(left <= 1, temporaryIn(target).join());
  }
  assert(left > 0, "nothing was left behind: this test proved nothing");
  await world.json("backup", "create", file);
  assertEquals([temporaryIn(world.manager), temporaryIn(target)], [[], []]);
});

/** `postern log`: filters, verification, checkpoints, and the trail behind a restore. */
import { assert, assertEquals } from "../../assert.ts";
import { pairCli } from "./devices.ts";
import { CliWorld } from "./harness.ts";

interface Shown {
  readonly events: readonly { number: number; kind: string; subject: string; detail: Record<string, unknown> }[];
  readonly verified?: number;
}

Deno.test("log shows what happened, by kind, text and time, and refuses what it cannot mean", async () => {
  await using world = await CliWorld.ready();
  await pairCli(world, "phone");
  await world.text("device", "revoke", "phone", "--yes");
  const log = async (...args: string[]) => await world.json("log", ...args) as Shown;
  assertEquals((await log("--kind", "device")).events.map(({ kind }) => kind), [
    ...["device.added", "device.active", "device.revoked"],
  ]);
  assertEquals((await log("--text", "PHONE", "--last", "1")).events.map(({ kind }) => kind), ["device.revoked"]);
  assertEquals((await log("--kind", "device.added", "key.made", "--until", "2001-01-01")).events, []);
  const since = (await log("--since", "2001-01-01", "--last", "1000")).events.length;
  assertEquals(since, (await log("--last", "1000")).events.length);
  assert((await world.text("log", "--kind", "device.revoked")).includes("phone  id="));
  assert((await world.text("log", "--kinds")).includes("device.revoked"));
  assert(((await log("--verify")).verified ?? 0) >= since);
  for (const args of [["--kind", "dev"], ["--since", "yesterday"], ["--last", "0"], ["--until", "2026-02-30T99:00"]]) {
    await world.fails(2, ["log", ...args]);
  }
});

Deno.test("log verify holds the trail against checkpoints, and a restore keeps it and says so (AUDIT-03, AUDIT-04)", async () => {
  await using world = await CliWorld.ready();
  await pairCli(world, "phone");
  await world.json("sync");
  const checkpoint = async () => (await world.json("log", "checkpoint") as { checkpoint: string }).checkpoint;
  const early = await checkpoint();
  await world.json("backup", "create", "one.backup");
  await pairCli(world, "laptop");
  for (let i = 0; i < 3; i++) await world.json("sync");
  const late = await checkpoint();
  await world.json("log", "verify", "--checkpoint", early, late);
  await world.fails(76, ["log", "verify", "--checkpoint", early.replace(/.$/, (digit) => digit === "0" ? "1" : "0")]);
  for (const wrong of ["12", "0:00", `${early}0`]) await world.fails(2, ["log", "verify", "--checkpoint", wrong]);

  await Deno.remove(world.manager, { recursive: true });
  const opened = ["backup", "restore", "one.backup", "--recovery-file", "recovery.txt", "--key-file", "new.key"];
  await world.json(...opened, "--devices", "all");
  const shown = await world.json("log", "--last", "1000", "--verify") as Shown;
  assertEquals(shown.verified, shown.events.length);
  assertEquals(shown.events.map(({ number }) => number), shown.events.map((_, i) => i + 1));
  const kinds = shown.events.map(({ kind }) => kind);
  assertEquals(kinds.filter((kind) => kind === "manager.made").length, 1, "nothing of the old life is told twice");
  assert(kinds.indexOf("backup.created") < kinds.indexOf("manager.restored"), kinds.join(" "));
  await world.json("log", "verify", "--checkpoint", early);
  await world.fails(76, ["log", "verify", "--checkpoint", late]);
});

/** Backups that a passphrase opens, each time as slowly as it should be. */
import { assert, assertEquals } from "../../assert.ts";
import { answers, CliWorld } from "./harness.ts";

Deno.test("backup create keeps a file that is there, and takes a passphrase in the place of the recovery key", async () => {
  await using world = await CliWorld.ready();
  await world.write("pass", "a long enough passphrase\n");
  const passphrase = ["--backup-passphrase-file", "pass"];
  const only = await world.json("backup", "create", "one.backup", "--no-recovery", ...passphrase) as {
    readonly openedBy: readonly string[];
  };
  assertEquals(only.openedBy, ["passphrase"]);
  const said = await world.fails(73, ["backup", "create", "one.backup"]);
  assert(said.includes("--force"));
  await world.json("backup", "verify", "one.backup", ...passphrase);
  await world.fails(77, ["backup", "verify", "one.backup", "--recovery-file", "recovery.txt"]);
  await world.json("backup", "create", "one.backup", "--force", ...passphrase);
  await world.json("backup", "verify", "one.backup", "--recovery-file", "recovery.txt");
  assert((await world.fails(2, ["backup", "create", "two.backup", "--no-recovery"])).includes("--backup-passphrase"));
  // Asked for, where somebody is there to answer.
  const ask = answers({ passphrase: "a long enough passphrase" });
  await world.jsonWith(["backup", "create", "asked.backup", "--backup-passphrase"], { ask });
  await world.jsonWith(["backup", "verify", "asked.backup"], { ask });
});

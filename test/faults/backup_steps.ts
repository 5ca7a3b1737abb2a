/** Backing up, losing the manager and restoring it, as the people of a household do. */
import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { Household } from "./household.ts";

/** Exit code of `configuration`: there is no manager in the folder. */
const NO_MANAGER = 78;

const fileOf = ({ folder }: Household) => join(folder, "one.backup");
const opening = ({ folder }: Household) => ["--recovery-file", join(folder, "recovery.txt")];

export function createArgs(household: Household): readonly string[] {
  return ["backup", "create", fileOf(household), "--force"];
}

export function restoreArgs(household: Household): readonly string[] {
  const kek = ["--key-file", join(household.folder, "kek.key")];
  return ["backup", "restore", fileOf(household), ...opening(household), ...kek, "--devices", "all"];
}

export async function backUp(household: Household): Promise<void> {
  await household.json(createArgs(household));
}

/** The file that has the name is whole, and the next backup leaves nothing of the one that was cut off, in the data folder and beside the file. */
export async function backupIsWhole(household: Household): Promise<void> {
  await household.json(["backup", "verify", fileOf(household), ...opening(household)]);
  await backUp(household);
  for (const folder of [household.manager, household.folder]) {
    const left = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith(".postern-"));
    assertEquals(left, []);
  }
}

/** A backup, then some life that is not in it, some of which the edge has and some of which is under way; then the manager is gone. */
export async function loseManager(household: Household): Promise<void> {
  await household.json(["settings", "--full-up-to", "0"]);
  await backUp(household);
  await household.importMail();
  await household.handIn();
  await household.json(["sync"]);
  await household.handIn();
  // The folder itself may be a disk of its own.
  for (const { name } of Deno.readDirSync(household.manager)) {
    await Deno.remove(join(household.manager, name), { recursive: true });
  }
}

/** A restore that was cut off is either done or nothing at all, and is then begun again. */
export async function finishRestore(household: Household): Promise<void> {
  const { code, err } = await household.run(["status"]);
  if (code === 0) return;
  assertEquals(code, NO_MANAGER, err);
  await household.json(restoreArgs(household));
}

/** The first turn comes to its end, the device is told and confirms once, and the owner has read what was lost. */
export async function confirmRestored(household: Household): Promise<void> {
  await household.requireTurn("after a restore");
  const { device } = household;
  await assertRejects(() => device.head(), "restored");
  assert(device.restore !== null);
  await device.confirmRestore(device.restore.incarnation);
  await household.json(["alarm", "clear"]);
}

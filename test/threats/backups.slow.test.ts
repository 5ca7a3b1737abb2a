/** Promise: restoring the manager is not an attack, and an attack is not a restore: with real backups, files and edges attacked. */
import { join } from "node:path";
import type { Database } from "../../shared/database/database.ts";
import { listOutgoing } from "../../manager/messages/outgoing.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { backUp, fileOf, restore } from "../manager/backup/backups.ts";
import { CHANNEL, mail, pushedWorld, type Setting } from "./setting.ts";

async function confirm(device: TestDevice): Promise<void> {
  await assertRejects(() => device.client.head(), "restored");
  assert(device.client.restore !== null);
  await device.client.confirmRestore(device.client.restore.incarnation);
}

async function backedUp(): Promise<Setting & { readonly file: string }> {
  const setting = await pushedWorld();
  const file = join(setting.world.folder, "one.backup");
  await backUp(setting.world.manager, file);
  return { ...setting, file };
}

const queue = async (db: Database) => (await listOutgoing(db, 9)).map(({ subject, state }) => `${subject}: ${state}`);

Deno.test("restoreManager() throws tampered for a file that whoever stores it has changed (BACKUP-02, BACKUP-03)", async () => {
  await using setting = await backedUp();
  const { world, file } = setting;
  const whole = await Deno.readFile(file);
  for (const at of [whole.length - 1, whole.length >> 1]) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    const path = await fileOf(world.folder, changed);
    await assertRejects(() => restore(world, path), "tampered");
  }
});

Deno.test("a device revoked after the backup reads nothing, though the edge hides its revocation from the restore (BACKUP-10)", async () => {
  await using setting = await backedUp();
  const { world, device, other, file } = setting;
  const hidden = await world.copyEdge();
  await other.client.login();
  await world.manager.revoke(other.profile.device);
  await world.manager.sync();
  await device.client.login();
  world.replaceEdge(hidden);
  const { manager, restored } = await restore(world, file, {
    // The edge's old state still has the device: only the owner knows better.
    confirm: (all) => all.filter(({ name }) => name === "phone"),
  });
  assertEquals(restored.candidates.map(({ name, atEdge }) => `${name} ${atEdge}`), ["phone there", "laptop there"]);
  await manager.receive(CHANNEL, mail("after"));
  await manager.sync();
  await confirm(device);
  assertEquals((await device.client.messages.list(CHANNEL)).messages.length, 5);
  await confirm(other);
  await assertRejects(() => other.start().login(), "unauthorized");
});

Deno.test("a submission from before the restore that the edge shows again is neither processed nor sent twice (BACKUP-13, BACKUP-15)", async () => {
  await using setting = await backedUp();
  const { world, device, file } = setting;
  await device.client.login();
  await device.client.submit.message({ channel: "out", raw: mail("once") });
  const before = await world.copyEdge();
  await world.manager.sync();
  await device.client.head();
  assertEquals(await queue(world.manager.db), ["once: queued"]);
  const after = world.replaceEdge(before);

  // The edge shows the restore a state in which the submission still waits: then it is held.
  const first = await restore(world, file);
  await first.manager.sync();
  assertEquals(await queue(first.manager.db), ["once: held"]);

  // It shows what it has, and the submission again later: it was taken, and is there once, read back and held.
  const again = await world.copyEdge();
  world.replaceEdge(after);
  const second = await restore(world, file);
  await second.manager.sync();
  assertEquals(await queue(second.manager.db), ["once: held"]);
  world.replaceEdge(again);
  await assertRejects(() => second.manager.sync(), "unauthorized");
  assertEquals(await queue(second.manager.db), ["once: held"]);
});

Deno.test("an edge that shows a restored manager another history is found out (BACKUP-11)", async () => {
  await using setting = await pushedWorld();
  const { world } = setting;
  const copy = await world.copyManager();
  const elsewhere = await world.copyEdge();
  await world.manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file);
  world.replaceEdge(elsewhere);
  await copy.receive(CHANNEL, mail("another history"));
  await copy.sync();
  await assertRejects(() => restore(world, file), "forked");
});

Deno.test("two managers out of one backup cannot both be believed (BACKUP-09, STMT-02)", async () => {
  await using setting = await backedUp();
  const { world, device, other, file } = setting;
  await device.client.login();
  await other.client.login();
  const twin = await world.copyEdge();
  // Both restored before either has pushed: they have the same numbers.
  const [one, two] = [await restore(world, file), await restore(world, file)];
  await one.manager.sync();
  await assertRejects(() => two.manager.sync(), "unauthorized");
  await confirm(device);
  await device.client.login();
  // An edge that runs both worlds side by side: who has seen one is not led into the other.
  world.replaceEdge(twin);
  await two.manager.sync();
  await assertRejects(() => device.start().login(), "forked");
  // And whoever was led into the second one notices when it is shown the first.
  await confirm(other);
  await other.client.login();
});

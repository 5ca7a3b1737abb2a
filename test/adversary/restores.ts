/** The owner's manager is lost and restored from a backup, which every user confirms: no attack, and nobody may take it for one. */
import { join } from "node:path";
import { isPosternError } from "../../shared/errors.ts";
import { backUp, restore } from "../manager/backup/backups.ts";
import type { Player, Scene } from "./scene.ts";
import { settle } from "./settle.ts";

/** Backs up, lives on for a generation that is lost, restores, and has every device confirm it. Returns what was wrong, or null. */
export async function restoreScene(scene: Scene): Promise<string | null> {
  const { world, liar } = scene;
  const wrong = await settle(scene);
  if (wrong !== null) return wrong;
  for (const player of scene.players) player.newest = (await player.client.login()).generation;
  const file = join(world.folder, `${crypto.randomUUID()}.backup`);
  const lost = scene.manager;
  await backUp(lost, file);
  world.clock.advance(60_000);
  await lost.receive("mail", scene.mail("lost"));
  await scene.sync();
  for (const player of scene.players) player.newest = (await player.client.head()).generation;
  scene.former = {
    edge: await world.copyEdge(),
    logins: [...liar.past("loginData")],
    proven: [...liar.past("proven")],
  };
  const { manager } = await restore(world, file, { folder: join(world.folder, `manager-${crypto.randomUUID()}`) });
  world.managers.pop();
  world.managers[0] = manager;
  await lost[Symbol.asyncDispose]();
  await scene.sync();
  await scene.takeAlarms();
  for (const player of scene.players) {
    const unasked = await confirm(player);
    if (unasked !== null) return unasked;
  }
  return null;
}

/** What was seen of the generation that is lost is seen no more, and that is known. */
async function confirm(player: Player): Promise<string | null> {
  try {
    await player.client.head();
    return "a device took a new incarnation without its user's word";
  } catch (error) {
    if (!isPosternError(error, "restored")) throw error;
  }
  const { restore } = player.client;
  if (restore === null) return "a device says restored, and not what";
  await player.client.confirmRestore(restore.incarnation);
  player.newest = (await player.client.head()).generation;
  return null;
}

/** How a scene comes to rest: everything that was handed in is taken, and everybody knows. */
import type { Scene } from "./scene.ts";

/** Everything that was handed in is taken once, and none of it twice; to be called when nobody lies. */
export async function settle(scene: Scene): Promise<string | null> {
  await scene.sync();
  for (const player of scene.players) {
    await player.client.head();
    if ((await player.client.submit.status()).pending.length > 0) await player.client.submit.flush();
  }
  await scene.sync();
  for (const player of scene.players) {
    player.newest = (await player.client.head()).generation;
    const { pending } = await player.client.submit.status();
    if (pending.length > 0) return `${pending.length} submissions are never acknowledged`;
  }
  const left = scene.handedIn.filter((one) => !scene.book.isTaken(one)).length;
  return left > 0 ? `${left} messages are never taken` : await scene.contradiction();
}

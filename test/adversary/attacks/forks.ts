/** Two worlds: the manager's key signs elsewhere too, and one device is shown that. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { decodeSignedSubmission } from "../../../shared/protocol/submission.ts";
import { clearForks } from "../../../manager/heads/forks.ts";
import type { Answer } from "../liar.ts";
import { pairPlayer, type Scene } from "../scene.ts";
import type { Attack } from "./attack.ts";

/** What a device handed in under a head that only a copy of the manager signed. It is lost for the owner's world, and revoked in the end. */
async function handInElsewhere(scene: Scene): Promise<{ entries: Answer<"list">["entries"]; device: Bytes }> {
  const { world } = scene;
  world.clock.advance(60_000);
  const fooled = await pairPlayer(world, scene.deviceName());
  await scene.sync();
  const copy = await world.copyManager();
  world.managers.pop();
  const second = await world.copyEdge();
  await scene.sync();
  const first = world.replaceEdge(second);
  try {
    await copy.receive("mail", scene.mail("only in the second world"));
    await copy.sync();
    await fooled.client.submit.ping();
  } finally {
    world.replaceEdge(first);
    await copy[Symbol.asyncDispose]();
  }
  const { device } = fooled.device.profile;
  const { rows } = await second.database.execute<{ arrival: number; body: Bytes }>({
    sql: "SELECT arrival, body FROM inbox_bodies ORDER BY arrival",
    params: [],
  });
  const own = rows.filter(({ body }) => equalBytes(decodeSignedSubmission(body).submission.device, device));
  return { entries: own.map(({ arrival, body }) => [arrival, body] as const), device };
}

export const FORK_ATTACKS: readonly Attack[] = [{
  ...{ name: "a device is shown another world", victim: "turn", codes: ["forked"] },
  later: "every device is told in the next head",
  async begin(scene) {
    const { liar, manager, world } = scene;
    const { entries, device } = await handInElsewhere(scene);
    liar.begin({
      list: (answer, [principal]) =>
        principal.manager && equalBytes(principal.owner, world.owner) ? { ...answer, entries, next: null } : answer,
    });
    return {
      hits: () => liar.hits,
      async end() {
        liar.end();
        await clearForks(manager.db, world.clock.now());
        await manager.revoke(device);
      },
      async judge() {
        for (const player of scene.players) {
          const { alarm, generation } = await player.client.head();
          player.newest = generation;
          if (alarm === null) return "a device is not told of the fork";
        }
        return null;
      },
    };
  },
}];

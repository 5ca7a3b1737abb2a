/** Attacks with a whole edge: one that goes back, stands still, or has another key. */
import { INTERVAL_MILLIS } from "../../fixtures/manager.ts";
import { newEdgeIdentity, TestEdge } from "../../fixtures/edge.ts";
import { Traffic } from "../../fixtures/traffic.ts";
import { join } from "node:path";
import { readAs, READS } from "../reads.ts";
import type { Scene } from "../scene.ts";
import type { Attack, Lie } from "./attack.ts";

/** Puts another edge at the origin until the lie ends. */
export function standIn(scene: Scene, edge: TestEdge): Lie {
  const real = scene.world.replaceEdge(edge);
  return { hits: () => 1, end: () => void scene.world.replaceEdge(real) };
}

/** The edge as it was, shown to somebody who has seen what came after. */
const rollback: Attack = {
  ...{ name: "the whole edge goes back", victim: "any read", codes: ["rolled_back"] },
  async begin(scene, player) {
    const earlier = await scene.world.copyEdge();
    await scene.manager.receive("mail", scene.mail("after the copy"));
    await scene.sync();
    player.newest = (await player.client.head()).generation;
    return standIn(scene, earlier);
  },
};

/** The edge stands still for one device while the world goes on: what it shows is true, and old. */
const freeze: Attack = {
  ...{ name: "the edge stands still", victim: "submit", codes: ["stale"] },
  async begin(scene, player) {
    player.newest = (await player.client.head()).generation;
    const frozen = await scene.world.copyEdge();
    for (let turn = 0; turn < 2; turn++) await scene.sync();
    scene.world.clock.advance(4 * INTERVAL_MILLIS);
    return standIn(scene, frozen);
  },
};

/** Somebody else answers at the edge's address, with all of its data and a key of his own. */
const otherKey: Attack = {
  ...{ name: "the edge has another key", victim: "login", codes: ["unauthorized", "tampered"] },
  async begin(scene) {
    const copy = await scene.world.copyEdge();
    const { secret } = await newEdgeIdentity(copy.identity.name.origin);
    const file = join(scene.world.folder, `false-${crypto.randomUUID()}.db`);
    await copy.database.execute({ sql: "VACUUM INTO ?", params: [file] });
    const edge = await TestEdge.open({ ...copy.identity, secret }, copy.owners, file, scene.world.clock);
    const lie = standIn(scene, edge);
    return {
      hits: lie.hits,
      end: async () => {
        await lie.end();
        await edge[Symbol.asyncDispose]();
      },
    };
  },
};

/** The edge as it was, for one device alone, which has seen what came after: everybody else is told the truth, meanwhile too. */
const oneView: Attack = {
  ...{ name: "the edge goes back for one device alone", victim: "any read", codes: ["rolled_back"] },
  async begin(scene, player, dice) {
    const earlier = new Traffic((await scene.world.copyEdge()).fetch);
    await scene.manager.receive("mail", scene.mail("after the copy"));
    await scene.sync();
    player.newest = (await player.client.head()).generation;
    let hits = 0;
    const { traffic } = player.device;
    traffic.interceptor = {
      answer: (_answer, request) => {
        hits += 1;
        return earlier.send(request);
      },
    };
    return {
      hits: () => hits,
      async end() {
        for (const other of scene.players) {
          const read = dice.of(READS);
          if (other === player || read === undefined) continue;
          const wrong = await readAs(other, read, scene, dice);
          if (wrong !== null) throw new Error(`while another device is lied to: ${wrong}`);
        }
        traffic.interceptor = null;
      },
    };
  },
};

/** The edge as it was, shown to the manager that had its commit confirmed. */
const rollbackAtTurn: Attack = {
  ...{ name: "the whole edge goes back, at the manager's turn", victim: "turn", codes: ["rolled_back"] },
  async begin(scene) {
    const earlier = await scene.world.copyEdge();
    await scene.manager.receive("mail", scene.mail("after the copy"));
    await scene.sync();
    return standIn(scene, earlier);
  },
};

export const WORLD_ATTACKS: readonly Attack[] = [rollback, oneView, rollbackAtTurn, freeze, otherKey];

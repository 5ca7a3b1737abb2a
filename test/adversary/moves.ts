/** What honest people do between attacks; none of it may raise an alarm. */
import { isPosternError } from "../../shared/errors.ts";
import { INTERVAL_MILLIS } from "../fixtures/manager.ts";
import type { Dice } from "./dice.ts";
import { restoreScene } from "./restores.ts";
import { readAs, READS } from "./reads.ts";
import { CHANNELS, pairPlayer, type Player, type Scene } from "./scene.ts";

/** Returns what was wrong, or null. @throws what should not be thrown */
export type Move = (scene: Scene, player: Player, dice: Dice) => Promise<string | null>;

const fine = async (done: Promise<unknown>): Promise<null> => {
  await done;
  return null;
};

const read: Move = async (scene, player, dice) => {
  const chosen = dice.of(READS);
  return chosen === undefined ? null : await readAs(player, chosen, scene, dice);
};

const receive: Move = (scene, _player, dice) =>
  fine(scene.manager.receive(dice.of(CHANNELS) ?? "mail", scene.mail("in", dice.once(8) ? 20_000 : 20)));

const trust: Move = (scene, _player, dice) => fine(scene.manager.trust(dice.of(scene.cards)?.der ?? new Uint8Array(0)));

/** Blocks or forgets a certificate that is there. */
const distrust: Move = async (scene, _player, dice) => {
  const { rows } = await scene.manager.db.execute<{ fingerprint: Uint8Array<ArrayBuffer> }>({
    sql: "SELECT fingerprint FROM certificates ORDER BY fingerprint",
    params: [],
  });
  const chosen = dice.of(rows);
  if (chosen === undefined) return null;
  await (dice.once(2) ? scene.manager.block(chosen.fingerprint) : scene.manager.forget(chosen.fingerprint));
  return null;
};

const turn: Move = async (scene, _player, dice) => {
  scene.manager.policy = {
    ...scene.manager.policy,
    fullUpToRows: dice.once(8) ? 500 : 0,
    coverRows: dice.once(6) ? 1 : 0,
  };
  scene.world.clock.advance(INTERVAL_MILLIS);
  return await fine(scene.sync({ rotate: dice.once(12) }));
};

const submit: Move = async (scene, player, dice) => {
  try {
    if (dice.once(3)) {
      await player.client.submit.ping();
      return null;
    }
    const card = dice.of(scene.cards);
    if (dice.once(3) && card !== undefined) {
      await scene.handInCertificate(player, card.der);
      return null;
    }
    await scene.handIn(player, dice.of(CHANNELS) ?? "chat");
  } catch (error) {
    // Nothing is handed in under an overdue head, whoever is to blame for it.
    if (!isPosternError(error, "stale")) throw error;
  }
  return null;
};

/** The manager's machine loses its network in the middle of a turn, or all that was in its memory; the next turn goes on. */
const cutTurn: Move = async (scene, _player, dice) => {
  let left = dice.below(14);
  const { traffic } = scene.manager;
  traffic.interceptor = {
    request: (request) => {
      if (left-- > 0) return request;
      throw new TypeError("The network is down");
    },
  };
  try {
    await scene.sync();
  } catch (error) {
    if (!isPosternError(error, "network")) throw error;
  } finally {
    traffic.interceptor = null;
  }
  if (dice.once(2)) await scene.reopenManager();
  return await fine(scene.sync());
};

const restartEdge: Move = (scene) => fine(scene.world.edge.restart());
const sweep: Move = (scene) => fine(scene.world.edge.sweep());
const restartDevice: Move = (_scene, player) => {
  player.client = player.device.start();
  return Promise.resolve(null);
};

/** The manager is lost, and restored from a backup. */
const restore: Move = (scene, _player, dice) => dice.once(4) ? restoreScene(scene) : Promise.resolve(null);

/** Time passes without a turn, perhaps for so long that everybody must notice. */
const wait: Move = (scene, _player, dice) => {
  scene.world.clock.advance(dice.once(6) ? 5 * INTERVAL_MILLIS : 20_000);
  return Promise.resolve(null);
};

/** A device is lost and revoked, and another takes its place. What the lost one had handed in is settled first. */
const replace: Move = async (scene, player) => {
  await scene.sync();
  const at = scene.players.indexOf(player);
  if (at < 0) return null;
  await scene.manager.revoke(player.device.profile.device);
  const fresh = await pairPlayer(scene.world, scene.deviceName());
  await scene.sync();
  scene.stolen = player.device;
  scene.players[at] = fresh;
  try {
    await player.device.start().login();
  } catch (error) {
    if (!isPosternError(error, "unauthorized")) throw error;
    return null;
  }
  return "a revoked device logged in";
};

/** Weighted by repetition. */
export const MOVES: readonly Move[] = [
  ...[read, read, read, read, read, read, read, read, read, read, read, read],
  ...[receive, receive, trust, distrust, turn, turn, submit, submit],
  ...[cutTurn, restartEdge, sweep, restartDevice, wait, replace, restore],
];

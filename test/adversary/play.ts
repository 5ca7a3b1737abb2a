/**
 * Plays random sequences of honest steps, crashes and attacks against the real edge, manager and devices, and holds everything that
 * a device accepts against the truth.
 */
import * as fc from "fast-check";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { openAlarms } from "../../manager/sync/alarms.ts";
import { type Attack, ATTACKS, type Victim } from "./attacks/all.ts";
import { Dice } from "./dice.ts";
import { MOVES, settle } from "./moves.ts";
import { HEADS, LOGINS, LOOKUPS, type Read, readAs, READS, TABLES } from "./reads.ts";
import { type Player, Scene } from "./scene.ts";

/** What came of a run. */
export interface Score {
  steps: number;
  /** Attacks in which something untrue was said or done. */
  attacks: number;
  caught: number;
  /** Divergences that nobody noticed. */
  missed: number;
  /** Alarms where nobody lied. */
  falseAlarms: number;
}

export interface Run {
  readonly score: Score;
  /** How often each attack was caught, by its name. */
  readonly byAttack: ReadonlyMap<string, number>;
  /** What was missed or raised a false alarm, with the step at which it was. */
  readonly findings: readonly string[];
}

/** One step: what to do, and the seed of its choices. */
interface Step {
  readonly isAttack: boolean;
  readonly choice: number;
  readonly seed: number;
}

/** After so many steps a new owner begins: a store that grows without end makes every step dearer and none better. */
const EPISODE_STEPS = 250;

/** A lie that a device or manager was deceived with and that nobody saw. */
type Outcome = "caught" | "nothing said" | { readonly missed: string };

const READS_OF: Readonly<Record<Exclude<Victim, "submit" | "turn">, readonly Read[]>> = {
  ...{ lookup: LOOKUPS, head: HEADS, login: LOGINS, table: TABLES, "any read": READS },
};

/** @param onProgress called after each step */
export async function play(
  { steps, seed, only }: { readonly steps: number; readonly seed: number; readonly only?: string },
  onProgress: (score: Score) => void = () => {},
): Promise<Run> {
  const attacks = ATTACKS.filter(({ name }) => only === undefined || name === only);
  if (attacks.length === 0) throw new PosternError("usage", `There is no attack "${only}"`);
  const score: Score = { steps: 0, attacks: 0, caught: 0, missed: 0, falseAlarms: 0 };
  const byAttack = new Map(attacks.map(({ name }) => [name, 0]));
  const findings: string[] = [];
  for (let episode = 0; score.steps < steps; episode++) {
    await using scene = await Scene.create();
    for (const step of plan(Math.min(EPISODE_STEPS, steps - score.steps), seed + episode)) {
      const where = `step ${score.steps}`;
      try {
        if (!step.isAttack) {
          const wrong = await honest(scene, step);
          if (wrong !== null) throw new Error(wrong);
        } else {
          const attack = attacks[step.choice % attacks.length];
          if (attack !== undefined) await attackOnce(scene, attack, step, { score, byAttack, findings, where });
        }
      } catch (error) {
        score.falseAlarms += 1;
        findings.push(`${where}: ${textOf(error)}`);
        break;
      } finally {
        score.steps += 1;
        onProgress(score);
      }
    }
    const wrong = await settle(scene).catch(textOf);
    if (wrong !== null) {
      score.missed += 1;
      findings.push(`after step ${score.steps}: ${wrong}`);
    }
  }
  return { score, byAttack, findings };
}

/** Steps of one episode, from its seed alone. */
function plan(count: number, seed: number): Step[] {
  const step = fc.record({
    isAttack: fc.boolean(),
    choice: fc.nat(),
    seed: fc.nat(),
  });
  return fc.sample(step, { seed, numRuns: count });
}

async function honest(scene: Scene, { choice, seed }: Step): Promise<string | null> {
  const dice = new Dice(seed);
  const player = dice.of(scene.players);
  const move = MOVES[choice % MOVES.length];
  if (player === undefined || move === undefined) return null;
  return await move(scene, player, dice);
}

/** Where an attack is written down. */
interface Ledger {
  readonly score: Score;
  readonly byAttack: Map<string, number>;
  readonly findings: string[];
  readonly where: string;
}

/** @throws when something is wrong although nobody lies any more */
async function attackOnce(scene: Scene, attack: Attack, { seed }: Step, ledger: Ledger): Promise<void> {
  const dice = new Dice(seed);
  const player = dice.of(scene.players);
  if (player === undefined) return;
  const lie = await attack.begin(scene, player, dice);
  if (lie === null) return;
  let outcome: Outcome;
  try {
    outcome = await deceive(scene, attack, player, dice, lie.hits);
  } finally {
    await lie.end();
  }
  if (outcome === "nothing said") return;
  ledger.score.attacks += 1;
  const later = outcome === "caught" ? await aftermath(scene, attack, player, dice) : null;
  if (outcome === "caught" && later === null) {
    ledger.score.caught += 1;
    ledger.byAttack.set(attack.name, (ledger.byAttack.get(attack.name) ?? 0) + 1);
  } else {
    ledger.score.missed += 1;
    ledger.findings.push(`${ledger.where}: ${attack.name}: ${later ?? (outcome as { missed: string }).missed}`);
  }
}

/** The victim does what it does, and is lied to. */
async function deceive(
  scene: Scene,
  attack: Attack,
  player: Player,
  dice: Dice,
  hits: () => number,
): Promise<Outcome> {
  const { victim, codes } = attack;
  const before = hits();
  const wasSaid = () => hits() > before || hits() > 0;
  try {
    if (victim === "submit") return await handIn(scene, player, attack, wasSaid);
    if (victim === "turn") {
      await scene.sync();
      // What the edge said did no harm, or an alarm was raised: what follows is held against the truth.
      return wasSaid() ? "caught" : "nothing said";
    }
    const read = dice.of(READS_OF[victim]);
    if (read === undefined) return "nothing said";
    const wrong = await readAs(player, read, scene, dice);
    if (!wasSaid()) {
      if (wrong !== null) throw new Error(wrong);
      return "nothing said";
    }
    // What was accepted is true all the same: a bit in what nobody uses, or an attack that came to nothing.
    return wrong === null ? "nothing said" : { missed: wrong };
  } catch (error) {
    if (!isPosternError(error)) throw error;
    if (!wasSaid()) throw error;
    return codes.includes(error.code) ? "caught" : { missed: unexpected(error, codes) };
  }
}

async function handIn(
  scene: Scene,
  player: Player,
  attack: Attack,
  wasSaid: () => boolean,
): Promise<Outcome> {
  const raw = scene.mail("out");
  const submitted = await player.client.submit.message({ channel: "chat", raw }).catch((error) => {
    if (attack.later !== undefined && isPosternError(error, "stale")) return null;
    throw error;
  });
  if (submitted === null) return "nothing said";
  scene.handedIn.push(toHex(sha256(raw)));
  if (!wasSaid()) return "nothing said";
  return attack.later === undefined ? { missed: "it was handed in" } : "caught";
}

/** Nobody lies any more: what was dropped is missed by whoever handed it in, and everybody reads the truth. */
async function aftermath(scene: Scene, attack: Attack, player: Player, dice: Dice): Promise<string | null> {
  if (attack.victim === "submit" && attack.later !== undefined) {
    await scene.sync();
    player.newest = (await player.client.head()).generation;
    const { pending } = await player.client.submit.status();
    if (pending.length === 0) return "the head acknowledges what was dropped";
    await player.client.submit.flush();
  }
  if (attack.victim === "turn" || attack.victim === "submit") {
    await scene.sync();
    for (const { code } of await openAlarms(scene.manager.db)) if (code === "forked") return "the manager sees a fork";
  }
  const read = dice.of(READS);
  return read === undefined ? null : await readAs(player, read, scene, dice);
}

function unexpected(error: PosternError, codes: readonly ErrorCode[]): string {
  return `${error.code} instead of ${codes.join(" or ") || "nothing"}: ${error.message}`;
}

function textOf(error: unknown): string {
  if (isPosternError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Plays random sequences of honest steps, crashes and attacks against the real edge, manager and devices, and holds everything that
 * a device accepts against the truth.
 */
import * as fc from "fast-check";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { type Attack, ATTACKS, type Lie, type Victim } from "./attacks/all.ts";
import { Dice } from "./dice.ts";
import { MOVES } from "./moves.ts";
import { COPIES, HEADS, LOGINS, LOOKUPS, PENDING, type Read, readAs, READS, TABLES } from "./reads.ts";
import { type Player, Scene } from "./scene.ts";
import { settle } from "./settle.ts";
import { emptyScore, type Run, type Score } from "./score.ts";

/** What to play. */
export interface Game {
  readonly steps: number;
  readonly seed: number;
  /** One attack alone, by its name. */
  readonly only?: string | undefined;
}

/** One step: what to do, and the seed of its choices. */
interface Step {
  readonly isAttack: boolean;
  readonly choice: number;
  readonly seed: number;
}

/** After so many steps a new owner begins: a store that grows without end makes every step dearer and none better. */
const EPISODE_STEPS = 250;

/**
 * How long a step takes: who opens session after session within one second shuts himself out (`edge/session/open_sessions.ts`), and
 * a manager that takes a turn at every other step would.
 */
const STEP_MILLIS = 1_000;

/** How an attack ended for whom it was meant. */
type Outcome =
  | "caught"
  | "nothing said"
  /** A turn under a lie that it should not have believed: an alarm must tell of it. */
  | "no error"
  | { readonly unlisted: string }
  | { readonly missed: string }
  /** What is wrong with what was accepted, if anything: whether that is seen later, is the attack's to say. */
  | { readonly accepted: string | null };

const READS_OF: Readonly<Record<Exclude<Victim, "submit" | "turn">, readonly Read[]>> = {
  ...{ lookup: LOOKUPS, head: HEADS, login: LOGINS, table: TABLES, "any read": READS, pending: PENDING, copy: COPIES },
};

/** How many episodes a game has: they know nothing of each other, and can be played in any order. */
export function episodeCount({ steps }: Game): number {
  return Math.ceil(steps / EPISODE_STEPS);
}

/** @throws `usage` for an attack that there is not */
export function attacksOf({ only }: Game): readonly Attack[] {
  const attacks = ATTACKS.filter(({ name }) => only === undefined || name === only);
  if (attacks.length === 0) throw new PosternError("usage", `There is no attack "${only}"`);
  return attacks;
}

/**
 * Plays one episode of a game.
 *
 * @param episode from 0
 * @throws `usage` for an attack that there is not
 */
export async function playEpisode(game: Game, episode: number): Promise<Run> {
  const { steps, seed } = game;
  const attacks = attacksOf(game);
  const ledger: Ledger = {
    ...{ score: emptyScore(), findings: [], where: "" },
    byAttack: Object.fromEntries(attacks.map(({ name }) => [name, 0])),
  };
  const first = episode * EPISODE_STEPS;
  await playSteps(attacks, plan(Math.min(EPISODE_STEPS, steps - first), seed, episode), first, ledger);
  return { score: ledger.score, byAttack: ledger.byAttack, findings: ledger.findings };
}

async function playSteps(
  attacks: readonly Attack[],
  steps: readonly Step[],
  first: number,
  ledger: Ledger,
): Promise<void> {
  const { score, findings } = ledger;
  await using scene = await Scene.create();
  for (const [index, step] of steps.entries()) {
    score.steps += 1;
    ledger.where = `step ${first + index}`;
    scene.world.clock.advance(STEP_MILLIS);
    try {
      await playStep(scene, attacks, step, ledger);
    } catch (error) {
      score.falseAlarms += 1;
      findings.push(`${ledger.where}: ${textOf(error)}`);
      // Nothing that follows would mean anything; the steps count as played.
      score.steps += steps.length - index - 1;
      return;
    }
  }
  const wrong = await settle(scene).catch(textOf);
  if (wrong === null) return;
  score.missed += 1;
  findings.push(`after ${ledger.where}: ${wrong}`);
}

/** @throws when something is wrong although nobody lies */
async function playStep(scene: Scene, attacks: readonly Attack[], step: Step, ledger: Ledger): Promise<void> {
  if (step.isAttack) {
    const attack = attacks[step.choice % attacks.length];
    if (attack !== undefined) await attackOnce(scene, attack, step, ledger);
    return;
  }
  const wrong = await honest(scene, step);
  if (wrong !== null) throw new Error(wrong);
  const [alarm] = await scene.takeAlarms();
  if (alarm !== undefined) throw new Error(`the manager raised ${alarm.code}: ${alarm.text}`);
}

/** Steps of one episode, from seed and episode alone. */
function plan(count: number, seed: number, episode: number): Step[] {
  // Small numbers are not dearer to us than others: each attack shall have its turn.
  const step = fc.noBias(fc.record({ isAttack: fc.boolean(), choice: fc.nat(), seed: fc.nat() }));
  // Neighbouring seeds share no episode.
  return fc.sample(step, { seed: new Dice(seed).below(2 ** 31) ^ Math.imul(episode + 1, 0x9e3779b1), numRuns: count });
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
  readonly byAttack: Record<string, number>;
  readonly findings: string[];
  /** The step under way. */
  where: string;
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
    outcome = await deceive(scene, attack, player, dice, lie);
  } finally {
    await lie.end();
  }
  if (outcome === "nothing said") {
    const [alarm] = await scene.takeAlarms();
    if (alarm !== undefined) throw new Error(`the manager raised ${alarm.code}: ${alarm.text}`);
    return;
  }
  ledger.score.attacks += 1;
  const missed = await missedOf(outcome, scene, attack, player) ??
    await aftermath(scene, attack, player, dice, outcome);
  if (missed !== null) {
    ledger.score.missed += 1;
    ledger.findings.push(`${ledger.where}: ${attack.name}: ${missed}`);
    return;
  }
  ledger.score.caught += 1;
  ledger.byAttack[attack.name] = (ledger.byAttack[attack.name] ?? 0) + 1;
  if (typeof outcome !== "object" || !("unlisted" in outcome)) return;
  ledger.score.unlisted += 1;
  ledger.findings.push(`${ledger.where}: ${attack.name}: ${outcome.unlisted}`);
}

/** What came of it that should not have, or null. Nobody lies any more. */
async function missedOf(outcome: Outcome, scene: Scene, attack: Attack, player: Player): Promise<string | null> {
  if (typeof outcome !== "object") return null;
  if ("missed" in outcome) return outcome.missed;
  return "accepted" in outcome ? await attack.settled?.(scene, player, outcome.accepted) ?? null : null;
}

/** The victim does what it does, and is lied to. */
async function deceive(
  scene: Scene,
  attack: Attack,
  player: Player,
  dice: Dice,
  lie: Lie,
): Promise<Outcome> {
  const { victim, codes } = attack;
  const wasSaid = () => lie.hits() > 0;
  try {
    if (victim === "submit") return await handIn(scene, player, attack, wasSaid);
    if (victim === "turn") {
      // Whole tables are read back after full pushes alone.
      await scene.sync({ rotate: dice.once(4) });
      if (!wasSaid()) return "nothing said";
      const wrong = await lie.judge?.() ?? null;
      if (wrong !== null) return { missed: wrong };
      return codes.length === 0 ? "caught" : "no error";
    }
    const read = dice.of(READS_OF[victim]);
    if (read === undefined) return "nothing said";
    const wrong = await readAs(player, read, scene, dice);
    if (!wasSaid()) {
      if (wrong !== null) throw new Error(wrong);
      return "nothing said";
    }
    if (attack.settled !== undefined) return { accepted: wrong };
    // What was accepted is true all the same: a bit in what nobody uses, or an attack that came to nothing.
    return wrong === null ? "nothing said" : { missed: wrong };
  } catch (error) {
    if (!isPosternError(error)) throw error;
    if (!wasSaid()) throw error;
    if (codes.includes(error.code)) return "caught";
    // What the manager has been told of, it may then fail to mend at once.
    if (victim === "turn" && (await scene.takeAlarms()).some(({ code }) => codes.some((one) => one === code))) {
      return "caught";
    }
    return { unlisted: unexpected(error, codes) };
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
  const { stream, number } = submitted;
  scene.handedIn.push({ stream: toHex(stream), number, hash: toHex(sha256(raw)) });
  if (!wasSaid()) return "nothing said";
  return attack.later === undefined ? { missed: "it was handed in" } : "caught";
}

/** Nobody lies any more: what was dropped is missed by whoever handed it in, and everybody reads the truth. */
async function aftermath(
  scene: Scene,
  attack: Attack,
  player: Player,
  dice: Dice,
  outcome: Outcome,
): Promise<string | null> {
  if (attack.victim === "submit" && attack.later !== undefined) {
    await scene.sync();
    player.newest = (await player.client.head()).generation;
    const { pending } = await player.client.submit.status();
    if (pending.length === 0) return "the head acknowledges what was dropped";
    await player.client.submit.flush();
  }
  if (attack.victim === "turn" || attack.victim === "submit") {
    await scene.sync();
  }
  const alarms = await scene.takeAlarms();
  const other = alarms.find(({ code }) => attack.victim !== "turn" || !attack.codes.some((named) => named === code));
  if (other !== undefined) return `the manager raised ${other.code}: ${other.text}`;
  if (outcome === "no error" && alarms.length === 0) return "the manager took it for the truth";
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

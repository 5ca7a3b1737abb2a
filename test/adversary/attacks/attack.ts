/** What an attack is, and the small hands that many of them share. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Dice } from "../dice.ts";
import type { Twists } from "../liar.ts";
import { CHANNELS, type Player, type Scene } from "../scene.ts";

/** Whom an attack deceives: a device that asks, one that logs in, one that hands in, or the manager in its turn. */
export type Victim = "lookup" | "head" | "login" | "table" | "copy" | "any read" | "pending" | "submit" | "turn";

/** A lie under way. */
export interface Lie {
  /** How often something untrue was said by now. */
  readonly hits: () => number;
  readonly end: () => Promise<void> | void;
  /** Of a turn that ended in no error, while the lie goes on: what is wrong with what the manager made of it, or null. */
  readonly judge?: () => Promise<string | null>;
}

export interface Attack {
  readonly name: string;
  readonly victim: Victim;
  /** The typed errors that it ends in; empty where it can only be seen later. */
  readonly codes: readonly ErrorCode[];
  /** Where it does not end in an error at once: by what it is seen. */
  readonly later?: string;
  /**
   * For a read that does not end in an error: once nobody lies any more, what was missed in it for good, or null.
   *
   * @param wrong what was wrong with what the device accepted, or null
   */
  readonly settled?: (scene: Scene, player: Player, wrong: string | null) => Promise<string | null>;
  /** Null when there is nothing to attack at this moment. */
  readonly begin: (scene: Scene, player: Player, dice: Dice) => Promise<Lie | null> | Lie | null;
}

/** An attack in which the edge's store says something else than it should. */
export function twisting(
  name: string,
  victim: Victim,
  codes: readonly ErrorCode[],
  twists: (scene: Scene, dice: Dice, player: Player) => Twists,
): Attack {
  return {
    ...{ name, victim, codes },
    begin(scene, player, dice) {
      const { liar } = scene;
      liar.begin(twists(scene, dice, player));
      return { hits: () => liar.hits, end: () => liar.end() };
    },
  };
}

/** The same bytes with one bit changed. */
export function flipped(bytes: Bytes, dice: Dice): Bytes {
  const copy = bytes.slice();
  const at = dice.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
  return copy;
}

/** The same things with one of them put in the place of another. */
export function swapped<T>(things: readonly T[], dice: Dice): T[] {
  const copy = [...things];
  const one = dice.below(copy.length);
  const other = (one + 1 + dice.below(copy.length - 1)) % copy.length;
  const [first, second] = [copy[one], copy[other]];
  if (first !== undefined && second !== undefined) [copy[one], copy[other]] = [second, first];
  return copy;
}

/** The same things without one of them. */
export function without<T>(things: readonly T[], dice: Dice): T[] {
  const at = dice.below(things.length);
  return things.filter((_, index) => index !== at);
}

/** The same things with one of them changed. */
export function changed<T>(things: readonly T[], dice: Dice, change: (thing: T) => T): T[] {
  const at = dice.below(things.length);
  return things.map((thing, index) => index === at ? change(thing) : thing);
}

/**
 * Has something pushed, and returns what is to be done then: the next turn pushes a delta in which something comes and something
 * goes.
 */
export async function changeSomething(scene: Scene, dice: Dice): Promise<() => Promise<void>> {
  const { manager, cards } = scene;
  const card = dice.of(cards);
  if (card === undefined) throw new Error("There are no certificates");
  manager.policy = { ...manager.policy, fullUpToRows: 0 };
  await manager.trust(card.der);
  await scene.sync();
  return async () => {
    await manager.receive(dice.of(CHANNELS) ?? "mail", scene.mail("changed"));
    await manager.forget(card.fingerprint);
  };
}

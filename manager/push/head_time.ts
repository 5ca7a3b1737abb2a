/** The time of a head: pure (spec: HEAD-05). */
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";

/** What the time of the next head must not go behind. */
export interface TimeBefore {
  /** Time of the newest head, and the number of the owner statement that it names; null before the first. */
  readonly head: { readonly time: number; readonly statement: number } | null;
  /** The owner statement in force. Its time is the owner's word on what time it was when it was signed. */
  readonly statement: { readonly time: number; readonly number: number };
}

/**
 * The time to sign, Millis: never before an earlier head's, and not far after it without the owner's word, since one wrong clock
 * would else bind every head to come. A new owner statement is that word, and the way back from a time that was wrong (spec: HEAD-03).
 *
 * @throws `clock`
 */
export function headTime({ head, statement }: TimeBefore, now: number): number {
  const before = head !== null && head.statement === statement.number ? head.time : statement.time;
  if (now < before - LIMITS.maxClockLeadMillis) {
    throw new PosternError(
      "clock",
      `The clock says ${iso(now)}, but ${iso(before)} was signed before: set the clock, or, if that time was wrong, ` +
        "confirm the present one: postern clock confirm",
    );
  }
  if (now > before + LIMITS.maxHeadGapMillis) {
    throw new PosternError(
      "clock",
      `The clock says ${iso(now)}, long after ${iso(before)}, which was signed last: if it is right, confirm it: ` +
        "postern clock confirm",
    );
  }
  return Math.max(before, now);
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}

/** How fresh a device's data is: pure, from what it remembers (spec: HEAD-10). */
import { freshness, type HeadMemory } from "../protocol/judge_head.ts";
import { ADVICE } from "./advice.ts";
import type { ShownTimes } from "./memory/state.ts";

/** How fresh what a device reads is, by its own clock. */
export interface FreshnessReport {
  /**
   * - `fresh`: the newest head is not overdue.
   * - `overdue`: the next one should be there by now: show what there is marked as old.
   * - `ahead`: the newest head is from a time that this device's clock has not reached.
   * - `unknown`: no head was verified yet.
   */
  readonly state: "fresh" | "overdue" | "ahead" | "unknown";
  /** Of the newest head that was verified; null if `unknown`. */
  readonly generation: number | null;
  /** When the manager signed it, Millis by the manager's clock. */
  readonly asOf: number | null;
  /** By when the next one will be there at the latest, Millis. */
  readonly nextDue: number | null;
  /** How long the next one has been due, 0 while it is not. It is `overdue` some time later (spec: HEAD-04). */
  readonly overdueMillis: number;
  /** When this device last verified a head, be it the same again, Millis by its own clock; of an earlier run, when it first verified it. */
  readonly lastVerified: number | null;
  /** What to tell the user; null while there is nothing to tell. */
  readonly advice: string | null;
}

const NOTHING_YET = "Nothing was read yet: connect to the edge once.";

/**
 * @param last when a head was verified last in this run, Millis; null if none was
 * @param now the device's clock, Millis
 */
// spec: HEAD-10
export function freshnessReport(
  { head, times }: { readonly head: HeadMemory | null; readonly times: ShownTimes | null },
  last: number | null,
  now: number,
): FreshnessReport {
  if (head === null || times === null) {
    const nothing = { generation: null, asOf: null, nextDue: null, overdueMillis: 0, lastVerified: null };
    return { state: "unknown", ...nothing, advice: NOTHING_YET };
  }
  const { generation, time } = head;
  const { nextDue, verified } = times;
  const state = freshness({ time, nextDue }, now);
  return {
    ...{ state, generation, asOf: time, nextDue, overdueMillis: Math.max(0, now - nextDue) },
    lastVerified: last ?? verified,
    advice: state === "fresh" ? null : state === "overdue" ? ADVICE.stale : ADVICE.clock,
  };
}

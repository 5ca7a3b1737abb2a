/** When the service does its next turn, and whether at all. Pure. */
import type { ErrorCode } from "../../shared/errors.ts";

/** So many Millis after a first failure, doubled with each further one. */
const FIRST_RETRY_MILLIS = 10_000;
/** An edge that is back is noticed after at most this long. */
const LONGEST_RETRY_MILLIS = 900_000;
/** Spread of each wait to both sides: turns at even times would tell an owner from others, and come all at once. */
const JITTER = 0.1;

/** Errors that another turn cannot mend; going on signing could do harm. */
const FINAL: readonly ErrorCode[] = ["forked", "configuration", "wrong_key", "usage"];

/**
 * How long to wait before the next turn, in Millis.
 *
 * @param failures turns that failed since the last one that did not
 * @param chance evenly spread from 0 to 1
 */
export function nextWait(intervalMillis: number, failures: number, chance: number): number {
  const retry = FIRST_RETRY_MILLIS * 2 ** Math.min(failures - 1, 20);
  const base = failures === 0 ? intervalMillis : Math.min(retry, Math.max(intervalMillis, LONGEST_RETRY_MILLIS));
  return Math.round(base * (1 - JITTER + 2 * JITTER * chance));
}

/** Whether the service ends with this error instead of trying again. */
export function isFinal(code: ErrorCode): boolean {
  return FINAL.includes(code);
}

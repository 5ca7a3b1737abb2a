/** Trying again, boundedly: networks break off, and databases are away for a moment. */
import { type ErrorCode, isPosternError, type PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { CallOptions } from "./http.ts";
import type { Surroundings } from "../surroundings.ts";

/** Failures that say nothing against trying the same again. */
const PASSING: readonly ErrorCode[] = ["network", "storage", "rate_limited"];

/** How an attempt ended: with a value, or with an error and how long the other side asks to wait, Millis. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PosternError; readonly waitMillis: number | null };

/**
 * Runs until an attempt succeeds, fails for good, or has failed `LIMITS.attempts` times.
 *
 * Every request of the protocol may be repeated: reads change nothing, and what changes state is bound to a number that is used
 * once (spec: SESS-12).
 */
export async function withRetries<T>(
  surroundings: Surroundings,
  run: () => Promise<Attempt<T>>,
  { signal }: CallOptions = {},
): Promise<T> {
  for (let failures = 1;; failures++) {
    const attempt = await attemptOf(run);
    if (attempt.ok) return attempt.value;
    if (failures >= LIMITS.attempts || !PASSING.includes(attempt.error.code)) throw attempt.error;
    if ((attempt.waitMillis ?? 0) > LIMITS.longestRetryMillis) throw attempt.error;
    await surroundings.wait(Math.max(attempt.waitMillis ?? 0, backOff(surroundings, failures)), signal);
  }
}

async function attemptOf<T>(run: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
  try {
    return await run();
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return { ok: false, error, waitMillis: null };
  }
}

/** Doubles each time, and is spread out, so that many clients do not come back in one moment. */
function backOff({ random }: Surroundings, failures: number): number {
  const spread = 0.5 + (random(1)[0] ?? 0) / 512;
  return Math.min(LIMITS.firstRetryMillis * 2 ** (failures - 1), LIMITS.longestRetryMillis) * spread;
}

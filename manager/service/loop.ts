/** The service: a turn at each interval, for as long as it is wanted. */
import type { Surroundings } from "../../shared/client/surroundings.ts";
import { isPosternError, type PosternError } from "../../shared/errors.ts";
import { isFinal, nextWait } from "./schedule.ts";
import type { TurnDone } from "./turn.ts";

/** How a turn ended, and when the next one comes. */
export type TurnReport =
  | { readonly ok: true; readonly done: TurnDone; readonly nextMillis: number }
  | { readonly ok: false; readonly error: PosternError; readonly failures: number; readonly nextMillis: number };

export interface ServiceEnvironment {
  readonly network: Pick<Surroundings, "random" | "wait">;
  readonly turn: () => Promise<TurnDone>;
  /** Read before each wait, so that a change takes effect. */
  readonly intervalMillis: () => Promise<number>;
  readonly report: (report: TurnReport) => void;
  /** Ends the service: at once while it waits, and after the turn while one is under way. */
  readonly stop: AbortSignal;
}

/** Runs until it is stopped. @throws an error that no further turn can mend */
export async function runService(env: ServiceEnvironment): Promise<void> {
  const { network, stop } = env;
  for (let failures = 0; !stop.aborted;) {
    let outcome: { done: TurnDone } | { error: PosternError };
    try {
      outcome = { done: await env.turn() };
      failures = 0;
    } catch (error) {
      if (!isPosternError(error) || isFinal(error.code)) throw error;
      outcome = { error };
      failures++;
    }
    const chance = (network.random(1)[0] ?? 0) / 255;
    const nextMillis = nextWait(await env.intervalMillis(), failures, chance);
    env.report(
      "done" in outcome
        ? { ok: true, done: outcome.done, nextMillis }
        : { ok: false, error: outcome.error, failures, nextMillis },
    );
    await waitUnless(network, nextMillis, stop);
  }
}

async function waitUnless(network: Pick<Surroundings, "wait">, millis: number, stop: AbortSignal): Promise<void> {
  try {
    await network.wait(millis, stop);
  } catch (error) {
    if (!stop.aborted || error !== stop.reason) throw error;
  }
}

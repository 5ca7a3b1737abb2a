/** What the client takes from where it runs: handed in, so that tests and unusual places can hand in something else. */
import { type RandomBytes, webCryptoRandom } from "../crypto/random.ts";

export interface Surroundings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Wall clock, Millis; it may be wrong and it may jump. Only heads are judged by it. */
  readonly now: () => number;
  /** Millis since any start, never going back; the edge's time is counted on with it. */
  readonly monotonic: () => number;
  readonly random: RandomBytes;
  /** Resolves after so many Millis, or rejects with the signal's reason. */
  readonly wait: (millis: number, signal?: AbortSignal) => Promise<void>;
  /** How long an edge may take for one answer, Millis; `LIMITS.exchangeMillis` if absent. */
  readonly exchangeMillis?: number;
}

/** What every current runtime offers under the same names. For entry points. */
export function runtimeSurroundings(): Surroundings {
  return {
    // Not the function itself: browsers insist on their own `this`.
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: webCryptoRandom,
    wait,
  };
}

function wait(millis: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      signal?.removeEventListener("abort", abort);
      clearTimeout(timer);
    };
    const abort = () => {
      end();
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, millis);
    signal?.addEventListener("abort", abort);
  });
}

/** A deadline for everything that is fetched: a file that hardly comes is one that does not come (shared/spec/manifest.md, "Attacks"). */
import { isPosternError, PosternError } from "../../shared/errors.ts";
import type { Opened } from "./source.ts";

export interface Pace {
  /** For the answer, and between any two parts of it, Millis. */
  readonly stallMillis: number;
  /** On the whole, once `stallMillis` have passed. */
  readonly minBytesPerSecond: number;
}

/** A very slow line is as fast. */
export const FILE_PACE: Pace = { stallMillis: 30_000, minBytesPerSecond: 2_048 };

/**
 * Opens and reads: first what was opened, or null if there is nothing; then its parts.
 *
 * @param name in errors
 * @throws `network` for what is too slow or breaks off; the reason of `stop`
 */
export async function* paced(
  open: (signal: AbortSignal) => Promise<Opened | null>,
  name: string,
  { stallMillis, minBytesPerSecond }: Pace,
  stop?: AbortSignal,
): AsyncGenerator<Opened | null | Uint8Array> {
  stop?.throwIfAborted();
  const ending = new AbortController();
  const abort = () => ending.abort(stop?.reason);
  stop?.addEventListener("abort", abort);
  const slow = () => new PosternError("network", `${name} comes too slowly, or not at all`);
  const started = performance.now();
  try {
    const opened = await within(open(ending.signal), stallMillis, ending, slow);
    yield opened;
    if (opened === null) return;
    const reader = opened.body.getReader();
    try {
      for (let size = 0;;) {
        const { done, value } = await within(reader.read(), stallMillis, ending, slow);
        if (done) return;
        size += value.length;
        const beyond = performance.now() - started - stallMillis;
        if (beyond > 0 && size < beyond / 1_000 * minBytesPerSecond) throw slow();
        yield value;
      }
    } finally {
      // Not awaited: a stream that does not end need not end its cancelling either.
      void reader.cancel().catch(() => undefined);
    }
  } catch (cause) {
    stop?.throwIfAborted();
    if (isPosternError(cause)) throw cause;
    throw new PosternError("network", `${name} could not be fetched, or broke off`, { cause });
  } finally {
    ending.abort();
    stop?.removeEventListener("abort", abort);
  }
}

/** Waits for so long at most, and ends when the reading does. */
async function within<T>(
  promise: Promise<T>,
  millis: number,
  ending: AbortController,
  late: () => PosternError,
): Promise<T> {
  let end = () => {};
  const until = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(late()), millis);
    const abort = () => reject(ending.signal.reason);
    ending.signal.addEventListener("abort", abort);
    end = () => {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", abort);
    };
  });
  try {
    return await Promise.race([promise, until]);
  } finally {
    end();
  }
}

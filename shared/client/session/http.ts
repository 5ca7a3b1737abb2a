/** One HTTP exchange with an edge that may do anything: bounded in size and time, and never redirected. */
import { type Bytes, concat } from "../../bytes/bytes.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Surroundings } from "../surroundings.ts";

/** A request, ready to be sent. */
export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes | null;
  /** Names the operation in errors, as in "Reading the head". */
  readonly what: string;
}

/** An answer, read to its end and not judged. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Bytes;
}

/** How long a caller waits. */
export interface CallOptions {
  /** Ends the operation; its reason is what is thrown then. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends and reads the whole answer.
 *
 * @throws `network` when the edge cannot be reached, breaks off, or takes longer than it may; `too_large` when its
 * answer does not end at the limit (spec: CONV-08); the signal's reason when the caller gave up
 */
export async function exchange(
  surroundings: Surroundings,
  request: HttpRequest,
  { signal }: CallOptions = {},
): Promise<HttpAnswer> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const abort = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  const { exchangeMillis = LIMITS.exchangeMillis } = surroundings;
  const timer = setTimeout(() => ending.abort(), exchangeMillis);
  try {
    const response = await surroundings.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === null ? {} : { body: request.body }),
      // A redirect would carry the session to wherever the edge likes.
      redirect: "manual",
      signal: ending.signal,
    });
    return {
      status: response.status,
      headers: response.headers,
      body: await readBody(response, request.what, ending.signal),
    };
  } catch (cause) {
    signal?.throwIfAborted();
    if (isPosternError(cause)) throw cause;
    const found = ending.signal.aborted
      ? `the edge did not answer within ${exchangeMillis / 1_000} seconds`
      : "the edge could not be reached, or broke off";
    throw new PosternError("network", `${request.what}: ${found}`, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Stops at the limit, whether or not a length was declared (spec: CONV-08). */
async function readBody(response: Response, what: string, ending: AbortSignal): Promise<Bytes> {
  const reader = response.body?.getReader();
  if (reader === undefined) return concat();
  // Not awaited: a stream that does not end need not end its cancelling either.
  const cancel = () => void reader.cancel().catch(() => undefined);
  ending.addEventListener("abort", cancel);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const declared = Number(response.headers.get("content-length"));
  if (!(declared > LIMITS.maxBodyBytes)) {
    while (size <= LIMITS.maxBodyBytes) {
      const { done, value } = await reader.read();
      ending.throwIfAborted();
      if (done) return concat(...chunks);
      chunks.push(value);
      size += value.length;
    }
  }
  cancel();
  throw new PosternError("too_large", `${what}: the answer is larger than ${LIMITS.maxBodyBytes} bytes`);
}

/** Pages: how much of what was found goes into one answer, and from where the next one goes on. Pure. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";

/**
 * The bound on the bytes of one answer (spec: READ-01). In SQL it only keeps bodies from being loaded that will not
 * fit.
 */
export const MAX_PAGE_BYTES: number = LIMITS.maxAnswerRowBytes;

/** Something found, in order. Its body is null when it was not loaded, because the bound is passed with it. */
interface Found {
  readonly body: Bytes | null;
}

/** What goes into the answer, and whether there is more. `found` has up to `limit` + 1 entries. */
export interface Page<F> {
  readonly taken: readonly F[];
  readonly more: boolean;
}

/** Cuts what was found at the limit, and where bodies would pass the bound; the first one has its place in any case. */
export function cutPage<F extends Found>(found: readonly F[], limit: number): Page<F> {
  let bytes = 0;
  const cut = found.findIndex(({ body }, index) => {
    bytes += body?.length ?? 0;
    return body === null || index >= limit || (index > 0 && bytes > MAX_PAGE_BYTES);
  });
  return cut < 0 ? { taken: found, more: false } : { taken: found.slice(0, cut), more: true };
}

/** The place of a row in key order: the last one that a client has. */
export interface RowCursor {
  readonly token: Bytes;
  readonly number: number;
}

/** Before every key. */
const START: RowCursor = { token: new Uint8Array(0), number: -1 };

/**
 * Reads a row key of 40 bytes, token and number as 8 bytes big-endian; null is the place before all keys.
 *
 * @throws `malformed` for another length or a number beyond 2^53-1, which no row has
 */
export function readCursor(key: Bytes | null): RowCursor {
  if (key === null) return START;
  if (key.length !== 40) throw new PosternError("malformed", `A row key has 40 bytes, not ${key.length}`);
  const number = Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(32));
  if (!Number.isSafeInteger(number)) throw new PosternError("malformed", "No row has a number beyond 2^53-1");
  return { token: key.slice(0, 32), number };
}

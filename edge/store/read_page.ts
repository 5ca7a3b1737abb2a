/** Pages: how much of what was found goes into one answer, and from where the next one goes on. Pure. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";

/**
 * The bound on the bytes of one answer as SQL sees it: of rows that were found in order, with a running `total` of their sizes,
 * a body is loaded if everything up to it fits, or if it is the first (spec: READ-01).
 */
export const MAX_PAGE_BYTES: number = LIMITS.maxAnswerRowBytes;

/** Something found, in order. Its body is null when the bound was passed before it. */
interface Found {
  readonly body: Bytes | null;
}

/** What goes into the answer, and whether there is more. `found` has up to `limit` + 1 entries. */
export interface Page<F> {
  readonly taken: readonly F[];
  readonly more: boolean;
}

/** Cuts what was found at the limit and at the first entry without a body. */
export function cutPage<F extends Found>(found: readonly F[], limit: number): Page<F> {
  const cut = found.findIndex((entry, index) => entry.body === null || index >= limit);
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

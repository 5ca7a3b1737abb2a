/** Reads a whole file of a source, within bounds of size and time. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { FILE_PACE, type Pace, paced } from "./pace.ts";
import type { ReleaseSource } from "./source.ts";

/** What reading is bounded by. */
export interface Reading {
  readonly maxBytes: number;
  readonly pace?: Pace | undefined;
  readonly stop?: AbortSignal | undefined;
}

/**
 * A whole small file.
 *
 * @returns null if there is none
 * @throws `too_large` at the first byte beyond the limit; `network` when it comes too slowly or breaks off
 */
// spec: IDX-06
export async function readPlace(source: ReleaseSource, place: string, reading: Reading): Promise<Bytes | null> {
  const { maxBytes, pace = FILE_PACE, stop } = reading;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of paced((signal) => source.open(place, 0, signal), place, pace, stop)) {
    if (part === null) return null;
    if ("from" in part) continue;
    size += part.length;
    if (size > maxBytes) throw new PosternError("too_large", `${place} has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return concat(...parts);
}

/** The same for what must be there. @throws `not_found` as well */
export async function requirePlace(source: ReleaseSource, place: string, reading: Reading): Promise<Bytes> {
  const bytes = await readPlace(source, place, reading);
  if (bytes === null) throw new PosternError("not_found", `the source has no ${place}`);
  return bytes;
}

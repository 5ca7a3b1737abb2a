/** The header of a release: strict both ways, bounded before anything is looked at (spec: COVER-09). */
import type { Bytes } from "../bytes/bytes.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../bytes/cbor.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { COMMITMENT_BYTES, COVER_KEY_BYTES, PLACE_BYTES, SALT_BYTES, TAG_BYTES, TREE_ID_BYTES } from "./derive.ts";
import { COVER_LABELS } from "./labels.ts";

/** Tag, masked place, wrapped key. */
export const ENTRY_BYTES = TAG_BYTES + PLACE_BYTES + COVER_KEY_BYTES;

const FIELDS = 6;

/** Everything around the entries, at most. */
const FRAME_BYTES = 256;
const MAX_HEADER_BYTES = LIMITS.maxCoverEntries * ENTRY_BYTES + FRAME_BYTES;

/** A header, taken apart. */
export interface CoverHeader {
  readonly tree: Bytes;
  readonly depth: number;
  readonly salt: Bytes;
  /** To the key that all entries wrap. */
  readonly commitment: Bytes;
  /** One behind the other, by ascending tag; as many as {@link entryCount} gives. */
  readonly entries: Bytes;
}

/** How many entries a header has in which so many instances are revoked: nothing else decides (spec: COVER-07). */
export function entryCount(revoked: number): number {
  let count: number = LIMITS.minCoverEntries;
  while (count < 2 * revoked - 1) count *= 2;
  return count;
}

export function encodeHeader({ tree, depth, salt, commitment, entries }: CoverHeader): Bytes {
  return encodeCbor([COVER_LABELS.header, tree, depth, salt, commitment, entries]);
}

/** @throws `too_large`; `malformed` for everything that {@link encodeHeader} would not have written */
export function decodeHeader(bytes: Uint8Array): CoverHeader {
  const value = decodeCbor(bytes, { maxBytes: MAX_HEADER_BYTES, maxItems: 1 + FIELDS, views: true });
  if (!Array.isArray(value) || value.length !== FIELDS || value[0] !== COVER_LABELS.header) {
    throw malformed("the fields");
  }
  const [, tree, depth, salt, commitment, entries] = value;
  if (typeof depth !== "number" || depth < 1 || depth > LIMITS.maxCoverDepth) throw malformed("the depth");
  if (!isBytes(tree, TREE_ID_BYTES) || !isBytes(salt, SALT_BYTES) || !isBytes(commitment, COMMITMENT_BYTES)) {
    throw malformed("the lengths");
  }
  if (!(entries instanceof Uint8Array) || !isEntryCount(entries.length / ENTRY_BYTES)) throw malformed("the size");
  if (!isAscending(entries)) throw malformed("the order of the entries");
  return { tree, depth, salt, commitment, entries };
}

/** The entry with this tag, from its place on; null where there is none. */
export function findEntry(entries: Bytes, tag: Bytes): { readonly place: Bytes; readonly wrapped: Bytes } | null {
  let [low, high] = [0, entries.length / ENTRY_BYTES];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareTags(entries, middle * ENTRY_BYTES, tag, 0);
    if (order === 0) return splitEntry(entries, middle);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return null;
}

/** Whether every tag is greater than the one before. */
export function isAscending(entries: Bytes): boolean {
  for (let at = ENTRY_BYTES; at < entries.length; at += ENTRY_BYTES) {
    if (compareTags(entries, at - ENTRY_BYTES, entries, at) >= 0) return false;
  }
  return true;
}

/** In place: a view of each tag would cost ten times as much as looking at it. */
function compareTags(a: Bytes, atA: number, b: Bytes, atB: number): number {
  for (let i = 0; i < TAG_BYTES; i++) {
    const difference = (a[atA + i] ?? 0) - (b[atB + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function splitEntry(entries: Bytes, index: number): { readonly place: Bytes; readonly wrapped: Bytes } {
  const [place, wrapped, end] = [TAG_BYTES, TAG_BYTES + PLACE_BYTES, ENTRY_BYTES].map((at) => index * ENTRY_BYTES + at);
  return { place: entries.slice(place, wrapped), wrapped: entries.slice(wrapped, end) };
}

function isEntryCount(count: number): boolean {
  return Number.isInteger(Math.log2(count)) && count >= LIMITS.minCoverEntries && count <= LIMITS.maxCoverEntries;
}

function isBytes(value: CborValue | undefined, length: number): value is Bytes {
  return value instanceof Uint8Array && value.length === length;
}

function malformed(what: string): PosternError {
  return new PosternError("malformed", `${what} of a cover's header are not as they must be`);
}

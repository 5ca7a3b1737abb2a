/**
 * Other ways to look at captured bytes: with escapes, line breaks and separators undone, with lists of numbers read as bytes, and with
 * whatever is compressed in them inflated. Each is a superset of what a decoder of the form would yield: nothing is validated, since a
 * leak need not be well formed.
 */
import { Buffer } from "node:buffer";
import { brotliDecompressSync, constants, inflateRawSync, inflateSync } from "node:zlib";
import { decodeCbor } from "../../shared/bytes/cbor.ts";
import { isPosternError } from "../../shared/errors.ts";

/** Bytes under another reading. */
export interface View {
  /** How they were read; empty for the bytes themselves. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A stream inside a stream inside a stream is deep enough. */
const MAX_INFLATIONS = 3;
const MAX_INFLATED_BYTES = 67_108_864;

/** The bytes and everything that may be read in them. */
export function* viewsOf(bytes: Uint8Array): Generator<View> {
  yield* textViews({ name: "", bytes });
  for (const inflated of inflationsOf(bytes, 1)) yield* textViews(inflated);
}

function* textViews(view: View): Generator<View> {
  yield view;
  const { name, bytes } = view;
  const read = (how: string, into: Uint8Array): View => ({ name: name === "" ? how : `${name}, ${how}`, bytes: into });
  if (bytes.includes(0)) yield read("without zero bytes", without(bytes, ZERO));
  yield read("joined over separators", without(bytes, SEPARATORS));
  yield read("joined over separators and hyphens", without(bytes, HYPHENS));
  if (bytes.includes(0x25)) yield read("percent-decoded", unescape(bytes, 0x25, 0));
  if (bytes.includes(0x3d)) yield read("quoted-printable decoded", unescape(softBreaksJoined(bytes), 0x3d, 0));
  if (bytes.includes(0x5c)) {
    yield read("\\x decoded", unescape(bytes, 0x5c, 0x78));
    yield read("\\u decoded", unescape(bytes, 0x5c, 0x75));
  }
  const numbers = numbersIn(uncoloured(bytes));
  yield read("numbers as bytes", numbers);
  yield read("every other number as bytes", numbers.filter((_, index) => index % 2 === 1));
  yield read("every other number as bytes, from the first", numbers.filter((_, index) => index % 2 === 0));
}

const ZERO: Uint8Array = flags([0]);
/** White space, and what stands between the bytes of a fingerprint. */
const SEPARATORS: Uint8Array = flags([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x3a]);
const HYPHENS: Uint8Array = flags([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x3a, 0x2d]);

function flags(values: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const value of values) table[value] = 1;
  return table;
}

function without(bytes: Uint8Array, dropped: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let length = 0;
  for (const byte of bytes) if (dropped[byte] === 0) kept[length++] = byte;
  return kept.subarray(0, length);
}

/** RFC 2045 section 6.7, rule 5: white space before the break is not part of the text. */
function softBreaksJoined(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString("latin1").replace(/=[\t ]*\r?\n/g, ""), "latin1");
}

/**
 * Replaces `mark`, then `letter` unless it is 0, then hexadecimal digits by the byte that they spell: two digits, or with the letter u
 * four, of which a value above 255 becomes two bytes. Anything else stays.
 */
function unescape(bytes: Uint8Array, mark: number, letter: number): Uint8Array {
  const digits = letter === 0x75 ? 4 : 2;
  const skip = letter === 0 ? 1 : 2;
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const isEscape = bytes[at] === mark && (letter === 0 || bytes[at + 1] === letter);
    const value = isEscape ? hexAt(bytes, at + skip, digits) : -1;
    if (value < 0) {
      out[length++] = bytes[at++] ?? 0;
      continue;
    }
    if (value > 255) out[length++] = value >> 8;
    out[length++] = value & 255;
    at += skip + digits;
  }
  return out.subarray(0, length);
}

function hexAt(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Without the numbers of terminal colours. */
function uncoloured(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0x1b)) return bytes;
  return Buffer.from(Buffer.from(bytes).toString("latin1").replace(COLOUR, ""), "latin1");
}

// deno-lint-ignore no-control-regex -- that is what a colour begins with
const COLOUR = /\x1b\[[0-9;]*m/g;

/** Decimal numbers up to 255, in order: how consoles and JSON write byte arrays. */
function numbersIn(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let value = -1;
  for (let at = 0; at <= bytes.length; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = Math.min(1_000, Math.max(value, 0) * 10 + digit);
      continue;
    }
    if (value >= 0 && value <= 255) out[length++] = value;
    value = -1;
  }
  return out.subarray(0, length);
}

const PARTIAL = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED_BYTES };
const PARTIAL_BROTLI = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: MAX_INFLATED_BYTES };

/**
 * Everything compressed: gzip and zlib streams wherever their header stands; raw deflate and Brotli, which have none, where something
 * begins: the bytes, and every string in them if they are CBOR.
 */
function* inflationsOf(bytes: Uint8Array, depth: number): Generator<View> {
  if (depth > MAX_INFLATIONS) return;
  for (const [name, inflated] of attempts(bytes)) {
    if (inflated.length === 0) continue;
    yield { name: `${"inflated ".repeat(depth - 1)}${name}`, bytes: inflated };
    yield* inflationsOf(inflated, depth + 1);
  }
}

function* attempts(bytes: Uint8Array): Generator<readonly [name: string, inflated: Uint8Array]> {
  for (let at = 0; at + 2 < bytes.length; at++) {
    const [first = 0, second = 0] = [bytes[at], bytes[at + 1]];
    if (first === 0x1f && second === 0x8b) {
      yield [
        "gzip",
        orNothing(() => inflateRawSync(gzipBody(bytes, at), PARTIAL)),
      ];
    }
    const isZlib = (first & 15) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
    if (isZlib) yield ["zlib", orNothing(() => inflateSync(bytes.subarray(at), PARTIAL))];
  }
  for (const start of beginnings(bytes)) {
    yield ["deflate", orNothing(() => inflateRawSync(start, PARTIAL))];
    yield ["Brotli", orNothing(() => brotliDecompressSync(start, PARTIAL_BROTLI))];
  }
}

/** What follows the header of a gzip member (RFC 1952 section 2.3); node's own reader refuses what has other bytes behind it. */
function gzipBody(bytes: Uint8Array, at: number): Uint8Array {
  const flags = bytes[at + 3] ?? 0;
  let start = at + 10;
  if ((flags & 4) !== 0) start += 2 + (bytes[start] ?? 0) + 256 * (bytes[start + 1] ?? 0);
  for (const text of [8, 16]) if ((flags & text) !== 0) start = bytes.indexOf(0, start) + 1;
  return bytes.subarray((flags & 2) === 0 ? start : start + 2);
}

function orNothing(inflate: () => Uint8Array): Uint8Array {
  try {
    return inflate();
  } catch {
    // Most bytes are no compressed stream, and the library says so in many ways.
    return new Uint8Array(0);
  }
}

function beginnings(bytes: Uint8Array): Uint8Array[] {
  return [bytes, ...stringsIn(bytes, MAX_INFLATIONS)];
}

/** The strings of a CBOR item, and of the CBOR items that are in its byte strings. */
function stringsIn(bytes: Uint8Array, depth: number): Uint8Array[] {
  if (depth === 0) return [];
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return [];
  }
  return leavesOf(value).flatMap((leaf) => [leaf, ...stringsIn(leaf, depth - 1)]);
}

function leavesOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value === "string") return [Buffer.from(value, "utf8")];
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leavesOf) : [];
}

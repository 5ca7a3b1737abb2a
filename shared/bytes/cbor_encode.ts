/**
 * Writing CBOR. It is ours: cbor2's writer encodes lone surrogates as U+FFFD and objects with `toJSON` as something else, and takes
 * four to seven times as long for the small maps and arrays that a request is made of (measured). The tests hold both against each
 * other.
 */
import { PosternError } from "../errors.ts";
import { type Bytes, compareBytes, utf8 } from "./bytes.ts";
import {
  ARRAY,
  BYTES,
  checkDepth,
  FALSE,
  headLength,
  INT,
  MAP,
  NEGATIVE,
  NULL,
  SIMPLE,
  TEXT,
  TRUE,
} from "./cbor_items.ts";

/** What {@link encodeCbor} takes. */
export type CborInput = null | boolean | number | string | Uint8Array | readonly CborInput[] | CborInputMap;

/** A plain object; its keys become text keys, in the order that the encoding demands. */
export interface CborInputMap {
  readonly [key: string]: CborInput;
}

/** Up to this length a loop is faster than the encoder. */
const SHORT_TEXT = 32;
const encoder = new TextEncoder();

/** Gives room for that many bytes, all of which will be written. */
export type Allocate = (length: number) => Bytes;

const ownArray: Allocate = (length) => new Uint8Array(length);

/**
 * The one encoding of a value (spec: CONV-01).
 *
 * @param allocate where it is written; by default into an array of its own
 * @throws `malformed` for a text with a lone surrogate, or nesting beyond `LIMITS.maxCborDepth`; `usage` for a value outside of
 * the data model (undefined, floats, -0, unsafe integers, bigints, class instances).
 */
export function encodeCbor(value: CborInput, allocate: Allocate = ownArray): Bytes {
  // Measured first, so that everything is written once, into an array of its own: most of what is encoded is a row of bytes
  // in a small frame, and copying it about would cost more than the frame.
  const out = allocate(measure(value, 0));
  write(value, out, 0);
  return out;
}

/** What stands in front of a byte string of that length, for those who hash long ones without copying them. */
export function bytesHead(length: number): Bytes {
  const head = new Uint8Array(headLength(length));
  writeHead(head, 0, BYTES, length);
  return head;
}

function measure(value: CborInput, depth: number): number {
  switch (typeof value) {
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw outsideModel("a number that is no safe integer");
      return headLength(argumentOf(value));
    case "string":
      return measureText(value);
    case "boolean":
      return 1;
    case "object":
      if (value === null) return 1;
      if (value instanceof Uint8Array) return headLength(value.length) + value.length;
      checkDepth(depth + 1);
      return isArray(value) ? measureArray(value, depth) : measureMap(value, depth);
    default:
      throw outsideModel(typeof value);
  }
}

/** @throws `malformed` for a lone surrogate, which TextEncoder would replace without a word */
function measureText(text: string): number {
  if (!text.isWellFormed()) throw new PosternError("malformed", "cannot encode a text with a lone surrogate as UTF-8");
  const length = utf8Length(text);
  return headLength(length) + length;
}

function measureArray(items: readonly CborInput[], depth: number): number {
  let length = headLength(items.length);
  for (const item of items) length += measure(item, depth + 1);
  return length;
}

function measureMap(map: CborInputMap, depth: number): number {
  const prototype = Object.getPrototypeOf(map);
  if (prototype !== null && prototype !== Object.prototype) throw outsideModel("an instance of a class");
  const keys = Object.keys(map);
  let length = headLength(keys.length);
  for (const key of keys) length += measureText(key) + measure(map[key] as CborInput, depth + 1);
  return length;
}

/** Writes a value that was measured; returns the place after it. */
function write(value: CborInput, out: Bytes, at: number): number {
  switch (typeof value) {
    case "number":
      return writeHead(out, at, value < 0 ? NEGATIVE : INT, argumentOf(value));
    case "string":
      return writeText(value, out, at);
    case "boolean":
      out[at] = (SIMPLE << 5) | (value ? TRUE : FALSE);
      return at + 1;
    default:
      if (value === null) {
        out[at] = (SIMPLE << 5) | NULL;
        return at + 1;
      }
      if (value instanceof Uint8Array) {
        const start = writeHead(out, at, BYTES, value.length);
        out.set(value, start);
        return start + value.length;
      }
      return isArray(value) ? writeArray(value, out, at) : writeMap(value, out, at);
  }
}

function writeText(value: string, out: Bytes, at: number): number {
  const length = utf8Length(value);
  const start = writeHead(out, at, TEXT, length);
  if (length > SHORT_TEXT || length !== value.length) {
    encoder.encodeInto(value, out.subarray(start));
  } else {
    for (let i = 0; i < length; i++) out[start + i] = value.charCodeAt(i);
  }
  return start + length;
}

function writeArray(items: readonly CborInput[], out: Bytes, at: number): number {
  let next = writeHead(out, at, ARRAY, items.length);
  for (const item of items) next = write(item, out, next);
  return next;
}

function writeMap(map: CborInputMap, out: Bytes, at: number): number {
  const keys = Object.keys(map).sort(compareKeys);
  let next = writeHead(out, at, MAP, keys.length);
  for (const key of keys) next = write(map[key] as CborInput, out, writeText(key, out, next));
  return next;
}

/** The shorter key comes first, because the encoded key begins with its length. */
function compareKeys(a: string, b: string): number {
  const [lengthA, lengthB] = [utf8Length(a), utf8Length(b)];
  if (lengthA !== lengthB) return lengthA - lengthB;
  // The order of code units is that of the bytes wherever one of two is ASCII; and no map has a key twice.
  if (lengthA === a.length) return a < b ? -1 : 1;
  return compareBytes(utf8(a), utf8(b));
}

function writeHead(out: Bytes, at: number, type: number, argument: number): number {
  const major = type << 5;
  const length = headLength(argument);
  if (length === 1) {
    out[at] = major | argument;
    return at + 1;
  }
  out[at] = major | (length === 2 ? 24 : length === 3 ? 25 : length === 5 ? 26 : 27);
  let rest = argument;
  for (let i = at + length - 1; i > at; i--) {
    out[i] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return at + length;
}

/** What the head of an integer carries: -1 less the number, if that is negative. */
function argumentOf(integer: number): number {
  return Math.max(integer, -1 - integer);
}

/** Length in UTF-8 of a text without lone surrogates; each half of a pair stands for two bytes. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) length += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return length;
}

/** `Array.isArray` does not narrow a readonly array away from the other branch. */
function isArray(value: readonly CborInput[] | CborInputMap): value is readonly CborInput[] {
  return Array.isArray(value);
}

function outsideModel(found: string): PosternError {
  return new PosternError("usage", `cannot encode ${found} as CBOR`);
}

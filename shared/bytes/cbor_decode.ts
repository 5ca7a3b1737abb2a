/**
 * Reading CBOR from strangers. cbor2 reads the single items; the data model's limits are enforced here, in the same pass, because
 * its own options leave gaps.
 */
import { SequenceEvents } from "cbor2/decoder";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Bytes, compareBytes } from "./bytes.ts";
import {
  ARRAY,
  BYTES,
  checkDepth,
  FALSE,
  headLength,
  INDEFINITE,
  INT,
  malformed,
  MAP,
  NEGATIVE,
  NULL,
  SIMPLE,
  TEXT,
  TRUE,
} from "./cbor_items.ts";

/** What {@link decodeCbor} gives: byte strings are copies unless views are asked for, maps are objects without a prototype. */
export type CborValue = null | boolean | number | string | Bytes | CborValue[] | CborMap;

/** Without a prototype, so that a key such as `__proto__` or `constructor` is data like any other. */
export interface CborMap {
  [key: string]: CborValue;
}

/** How {@link decodeCbor} reads. */
export interface DecodeOptions {
  /** The caller's own limit in bytes, `LIMITS.maxBodyBytes` by default; it is checked before anything else. */
  readonly maxBytes?: number;
  /**
   * Byte strings are views of what is decoded, which then must not change and stays in memory as long as one of them: for many long ones
   * that are soon done with.
   */
  readonly views?: boolean;
  /** Items of all depths together, however many the caller knows there to be; a megabyte of the smallest takes a second to read. */
  readonly maxItems?: number;
}

/**
 * The value of one encoded item. What is accepted encodes to the same bytes again.
 *
 * @throws `too_large`; `malformed` for everything that `encodeCbor` would not have written, trailing bytes included.
 */
export function decodeCbor(bytes: Uint8Array, options: DecodeOptions = {}): CborValue {
  const maxBytes = options.maxBytes ?? LIMITS.maxBodyBytes;
  if (bytes.length > maxBytes) {
    throw new PosternError("too_large", `expected at most ${maxBytes} bytes of CBOR, found ${bytes.length}`);
  }
  // A view of the plain class: `slice` of node's Buffer would not copy.
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), options);
  const value = reader.value(0);
  reader.end();
  return value;
}

/**
 * The unsigned integer that stands at a place, for those who read no more than how a long item begins.
 *
 * @throws `malformed` for anything else, and for one that `encodeCbor` would have written shorter
 */
export function uintAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? INDEFINITE;
  const width = first < 24 ? 0 : 2 ** (first - 24);
  const end = at + 1 + width;
  if (first > 27 || end > bytes.length) throw malformed("no unsigned integer");
  let value = width === 0 ? first : 0;
  for (let i = at + 1; i < end; i++) value = value * 0x100 + (bytes[i] ?? 0);
  if (!Number.isSafeInteger(value)) throw malformed("an integer beyond 2^53 - 1");
  if (headLength(value) !== 1 + width) throw malformed("an integer that is not written the shortest way");
  return value;
}

type Token = NonNullable<ReturnType<SequenceEvents["read"]>>;

/** Reads the items of untrusted bytes. Nothing is allocated by a claimed count, only by bytes that are there. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #views: boolean;
  readonly #events: SequenceEvents;
  #itemsLeft: number;

  constructor(bytes: Uint8Array, { views = false, maxItems = Infinity }: DecodeOptions) {
    this.#bytes = bytes;
    this.#views = views;
    this.#itemsLeft = maxItems;
    // cbor2 counts an array as two levels; its bound only keeps its own recursion short, the exact one is checkDepth.
    this.#events = new SequenceEvents(bytes, { requirePreferred: true, maxDepth: 2 * LIMITS.maxCborDepth + 2 });
  }

  value(depth: number): CborValue {
    const [type, info, value] = this.#next();
    if (info === INDEFINITE) throw malformed("an indefinite length");
    switch (type) {
      case INT:
      case NEGATIVE:
        if (typeof value !== "number" || !Number.isSafeInteger(value)) throw malformed("an integer beyond 2^53 - 1");
        return value;
      case BYTES:
        return this.#views ? value as Bytes : (value as Bytes).slice();
      case TEXT:
        return value as string;
      case ARRAY:
        return this.#array(Number(value), depth + 1);
      case MAP:
        return this.#map(Number(value), depth + 1);
      case SIMPLE:
        if (info === NULL) return null;
        if (info === FALSE || info === TRUE) return info === TRUE;
        break;
    }
    throw malformed("a tag, a float or another simple value");
  }

  end(): void {
    if (this.#read() !== undefined) throw malformed("bytes after the end");
  }

  #array(count: number, depth: number): CborValue[] {
    checkDepth(depth);
    const items: CborValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth));
    return items;
  }

  #map(count: number, depth: number): CborMap {
    checkDepth(depth);
    const map: CborMap = Object.create(null);
    let previous: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const [, , key, offset, length] = this.#next();
      // Of an indefinite length it would have no value yet.
      if (typeof key !== "string") throw malformed("a map key that is no text");
      const encoded = this.#bytes.subarray(offset, offset + headLength(Number(length)) + Number(length));
      if (previous && compareBytes(previous, encoded) >= 0) throw malformed("map keys twice or out of order");
      previous = encoded;
      map[key] = this.value(depth);
    }
    return map;
  }

  #next(): Token {
    if (--this.#itemsLeft < 0) throw malformed("more items than there may be");
    const token = this.#read();
    if (!token) throw malformed("the end where a value should be");
    return token;
  }

  #read(): Token | undefined {
    try {
      return this.#events.read();
    } catch (cause) {
      throw malformed("bytes that are cut off, not UTF-8, or not the shortest form", cause);
    }
  }
}

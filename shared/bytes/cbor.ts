/**
 * Deterministic CBOR (RFC 8949 section 4.2.1), restricted to Postern's data model: null, booleans, integers that a
 * JavaScript number holds exactly, byte strings, UTF-8 texts, arrays, and maps with text keys.
 *
 * Every value has exactly one encoding, so what is signed, MACed or hashed can be compared as bytes. cbor2 writes and reads
 * the single items; the model's limits are enforced here, in the same pass, because its own options leave gaps: it encodes
 * lone surrogates as U+FFFD and objects with `toJSON` as something else, and it counts depth differently in arrays and maps.
 */
import { SequenceEvents } from "cbor2/decoder";
import { writeInt, writeString } from "cbor2/encoder";
import { Writer } from "cbor2/writer";
import { type Bytes, compareBytes, utf8 } from "./bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** What {@link encodeCbor} takes. */
export type CborInput = null | boolean | number | string | Uint8Array | readonly CborInput[] | CborInputMap;

/** A plain object; its keys become text keys, in the order that the encoding demands. */
export interface CborInputMap {
  readonly [key: string]: CborInput;
}

/** What {@link decodeCbor} gives: byte strings are copies, maps are objects without a prototype. */
export type CborValue = null | boolean | number | string | Bytes | CborValue[] | CborMap;

/** Without a prototype, so that a key such as `__proto__` or `constructor` is data like any other. */
export interface CborMap {
  [key: string]: CborValue;
}

/** Major types (RFC 8949 section 3.1). */
const INT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;

/** Additional information of the simple values in use (RFC 8949 section 3.3), and of an indefinite length. */
const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const INDEFINITE = 31;

/** Holds most values whole; a longer byte string is not copied into it. */
const CHUNK_BYTES = 512;
const TEXT_OPTIONS = { stringNormalization: null, wtf8: false } as Parameters<typeof writeString>[2];

/**
 * The one encoding of a value (spec: CONV-01).
 *
 * @throws `malformed` for a text with a lone surrogate, or nesting beyond `LIMITS.maxCborDepth`; `usage` for a value outside of
 * the data model (undefined, floats, -0, unsafe integers, bigints, class instances).
 */
export function encodeCbor(value: CborInput): Bytes {
  const writer = new Writer({ chunkSize: CHUNK_BYTES });
  write(value, writer, 0);
  return writer.read() as Bytes;
}

function write(value: CborInput, writer: Writer, depth: number): void {
  switch (typeof value) {
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw outsideModel("a number that is no safe integer");
      return writeInt(value, writer);
    case "string":
      if (!value.isWellFormed()) {
        throw new PosternError("malformed", "cannot encode a text with a lone surrogate as UTF-8");
      }
      return writeString(value, writer, TEXT_OPTIONS);
    case "boolean":
      return writer.writeUint8((SIMPLE << 5) | (value ? TRUE : FALSE));
    case "object":
      if (value === null) return writer.writeUint8((SIMPLE << 5) | NULL);
      if (value instanceof Uint8Array) return writeBytes(value, writer);
      checkDepth(depth + 1);
      return isArray(value) ? writeArray(value, writer, depth) : writeMap(value, writer, depth);
    default:
      throw outsideModel(typeof value);
  }
}

function writeBytes(value: Uint8Array, writer: Writer): void {
  writeInt(value.length, writer, BYTES);
  writer.write(value);
}

function writeArray(items: readonly CborInput[], writer: Writer, depth: number): void {
  writeInt(items.length, writer, ARRAY);
  for (const item of items) write(item, writer, depth + 1);
}

function writeMap(map: CborInputMap, writer: Writer, depth: number): void {
  const prototype = Object.getPrototypeOf(map);
  if (prototype !== null && prototype !== Object.prototype) throw outsideModel("an instance of a class");
  const entries = Object.entries(map).map(([key, value]) => ({ key, value, sort: utf8(key) }));
  // The shorter key comes first, because the encoded key begins with its length.
  entries.sort((a, b) => a.sort.length - b.sort.length || compareBytes(a.sort, b.sort));
  writeInt(entries.length, writer, MAP);
  for (const { key, value } of entries) {
    write(key, writer, depth + 1);
    write(value, writer, depth + 1);
  }
}

/** `Array.isArray` does not narrow a readonly array away from the other branch. */
function isArray(value: readonly CborInput[] | CborInputMap): value is readonly CborInput[] {
  return Array.isArray(value);
}

/**
 * The value of one encoded item. What is accepted encodes to the same bytes again.
 *
 * @param options.maxBytes the caller's own limit in bytes, `LIMITS.maxBodyBytes` by default; it is checked before anything else.
 * @throws `too_large`; `malformed` for everything that {@link encodeCbor} would not have written, trailing bytes included.
 */
export function decodeCbor(bytes: Uint8Array, options: { maxBytes?: number } = {}): CborValue {
  const maxBytes = options.maxBytes ?? LIMITS.maxBodyBytes;
  if (bytes.length > maxBytes) {
    throw new PosternError("too_large", `expected at most ${maxBytes} bytes of CBOR, found ${bytes.length}`);
  }
  // A view of the plain class: `slice` of node's Buffer would not copy.
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  const value = reader.value(0);
  reader.end();
  return value;
}

type Token = NonNullable<ReturnType<SequenceEvents["read"]>>;

/** Reads the items of untrusted bytes. Nothing is allocated by a claimed count, only by bytes that are there. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #events: SequenceEvents;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
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
        return (value as Bytes).slice();
      case TEXT:
        return value as string;
      case ARRAY:
        return this.#array(Number(value), depth + 1);
      case MAP:
        return this.#map(Number(value), depth + 1);
      case SIMPLE:
        if (info === NULL) return null;
        if (info === FALSE || info === TRUE) return info === TRUE;
        throw malformed("a float or another simple value");
      default:
        throw malformed("a tag");
    }
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
      const [type, info, key, offset, length] = this.#next();
      if (type !== TEXT || info === INDEFINITE || typeof key !== "string") throw malformed("a map key that is no text");
      const encoded = this.#bytes.subarray(offset, offset + headBytes(info) + Number(length));
      if (previous && compareBytes(previous, encoded) >= 0) throw malformed("map keys twice or out of order");
      previous = encoded;
      map[key] = this.value(depth);
    }
    return map;
  }

  #next(): Token {
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

/** Bytes of an item's head with this additional information (RFC 8949 section 3). */
function headBytes(info: number): number {
  return info < 24 ? 1 : 1 + 2 ** (info - 24);
}

function checkDepth(depth: number): void {
  if (depth > LIMITS.maxCborDepth) throw malformed(`nesting deeper than ${LIMITS.maxCborDepth}`);
}

function malformed(found: string, cause?: unknown): PosternError {
  return new PosternError("malformed", `expected deterministic CBOR, found ${found}`, { cause });
}

function outsideModel(found: string): PosternError {
  return new PosternError("usage", `cannot encode ${found} as CBOR`);
}

/**
 * The wrapped keys of schema 2 (spec: MAN-14): entries of one length, sorted by opaque id, so that an instance finds its own by
 * bisection in the bytes of the file. Taking ten thousand entries apart as JSON would cost more than all the rest of opening.
 */
import { type Bytes, compareBytes, concat, equalBytes, utf8 } from "../bytes/bytes.ts";
import { fromBase64, toBase64, toHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Bytes of a wrapped MEK, by how it is wrapped. */
export const WRAPPED_BYTES = { xwing: 1_120 + 48, x25519: 48 } as const;
export const OPAQUE_ID_BYTES = 16;

const OPEN = 0x5b;
const CLOSE = 0x5d;
/** `{"encrypted_mek":"`, the wrapped MEK, `","instance_id":"`, the id, `"}`; then a comma and the next one. */
const [BEFORE, BETWEEN, AFTER] = ['{"encrypted_mek":"', '","instance_id":"', '"}'].map(utf8) as [Bytes, Bytes, Bytes];
const ID_CHARS = 2 * OPAQUE_ID_BYTES;
const COMMA = utf8(",");

/** A wrapped MEK and the id that it is found by. */
export interface RecipientEntry {
  readonly id: Bytes;
  readonly wrapped: Bytes;
}

/**
 * 16 to 24 bytes that are looked for at ten thousand places, as three numbers of eight, the last of which overlaps: comparing those takes
 * a quarter of the time. Of a number that is neither zero nor NaN, as those of ASCII are, only the same bits are equal to it.
 */
interface Punctuation {
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly thirdAt: number;
}

const NUMBER_BYTES = 8;
const WORD_BYTES = 4;
const IS_BETWEEN = punctuationOf(BETWEEN);
const IS_NEXT = punctuationOf(concat(AFTER, COMMA, BEFORE));

function punctuationOf(bytes: Bytes): Punctuation {
  const view = new DataView(bytes.buffer);
  const thirdAt = bytes.length - NUMBER_BYTES;
  const [first, second, third] = [
    view.getFloat64(0, true),
    view.getFloat64(NUMBER_BYTES, true),
    view.getFloat64(thirdAt, true),
  ];
  return { first, second, third, thirdAt };
}

/** The text of a list: entries sorted, commas between, without the brackets. @throws `usage` for two of one id, or none */
export function writeTable(entries: readonly RecipientEntry[]): Bytes {
  if (entries.length === 0) throw new PosternError("usage", "a release without recipients can be read by nobody");
  if (entries.length > LIMITS.maxRecipients) throw tooMany();
  const sorted = [...entries].sort((a, b) => compareBytes(a.id, b.id));
  const texts = sorted.map(({ id, wrapped }, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && compareBytes(before.id, id) === 0) {
      throw new PosternError("usage", "two recipients have one id: is an instance listed twice?");
    }
    return `{"encrypted_mek":"${toBase64(wrapped)}","instance_id":"${toHex(id)}"}`;
  });
  return utf8(texts.join(","));
}

/**
 * Cuts the list out of an envelope, if there is one: from the first `[` to the last `]`, since no other member may hold either.
 *
 * @returns the envelope with an empty list in its place; and the text between the brackets
 */
export function cutTable(envelope: Bytes): { readonly rest: Bytes; readonly table: Bytes | null } {
  const [first, last] = [envelope.indexOf(OPEN), envelope.lastIndexOf(CLOSE)];
  if (first === -1 || last < first) return { rest: envelope, table: null };
  const rest = concat(envelope.subarray(0, first + 1), envelope.subarray(last));
  return { rest, table: envelope.subarray(first + 1, last) };
}

/** The entries, untouched until one is asked for. */
export class RecipientTable {
  readonly count: number;
  readonly #text: Bytes;
  readonly #wrappedChars: number;
  readonly #stride: number;
  readonly #idAt: number;

  /**
   * @throws `malformed` unless all entries have the length and punctuation of this wrap and their ids ascend; `too_large` for
   * too many
   */
  constructor(text: Bytes, wrap: keyof typeof WRAPPED_BYTES) {
    this.#text = text;
    this.#wrappedChars = 4 * Math.ceil(WRAPPED_BYTES[wrap] / 3);
    this.#idAt = BEFORE.length + this.#wrappedChars + BETWEEN.length;
    this.#stride = this.#idAt + ID_CHARS + AFTER.length + 1;
    this.count = (text.length + 1) / this.#stride;
    if (this.count > LIMITS.maxRecipients) throw tooMany();
    if (!Number.isInteger(this.count)) throw malformed("entries of one length");
    this.#check();
  }

  /** The wrapped MEK of an opaque id; null where there is none. @throws `malformed` if it is not canonical base64 */
  find(id: Bytes): Bytes | null {
    const wanted = utf8(toHex(id));
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = this.#compareId(middle, wanted);
      if (order === 0) return this.#wrapped(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return null;
  }

  /** All of the text, for what writes an envelope. */
  get text(): Bytes {
    return this.#text;
  }

  #compareId(entry: number, wanted: Bytes): number {
    const at = entry * this.#stride + this.#idAt;
    return compareBytes(this.#text.subarray(at, at + ID_CHARS), wanted);
  }

  #wrapped(entry: number): Bytes {
    const at = entry * this.#stride + BEFORE.length;
    return fromBase64(new TextDecoder().decode(this.#text.subarray(at, at + this.#wrappedChars)));
  }

  #check(): void {
    const view = new DataView(this.#text.buffer, this.#text.byteOffset, this.#text.length);
    this.#requireAscendingIds(view);
    this.#requireOneForm(view);
  }

  /** Before all else, and with little to do for each: so a processor waits for many entries at once, which lie far apart in memory. */
  #requireAscendingIds(view: DataView): void {
    const [last, stride, first] = [this.#lastIdAt, this.#stride, this.#idAt];
    let before = -1;
    for (let id = first; id <= last; id += stride) {
      const word = view.getUint32(id);
      if (word <= before && !ascends(view, id - stride, id)) throw malformed("ids that ascend, each once");
      before = word;
    }
  }

  #requireOneForm(view: DataView): void {
    const [text, last, stride, first] = [this.#text, this.#lastIdAt, this.#stride, this.#idAt];
    let isWellMade = equalBytes(text.subarray(0, BEFORE.length), BEFORE) &&
      equalBytes(text.subarray(last + ID_CHARS), AFTER);
    for (let id = first; id <= last && isWellMade; id += stride) {
      isWellMade = hasAt(view, id - BETWEEN.length, IS_BETWEEN) && (id === last || hasAt(view, id + ID_CHARS, IS_NEXT));
    }
    if (!isWellMade) throw malformed("entries of one form");
  }

  /** Where the id of the last entry begins. */
  get #lastIdAt(): number {
    return this.#text.length - AFTER.length - ID_CHARS;
  }
}

function hasAt(view: DataView, at: number, { first, second, third, thirdAt }: Punctuation): boolean {
  return view.getFloat64(at, true) === first && view.getFloat64(at + NUMBER_BYTES, true) === second &&
    view.getFloat64(at + thirdAt, true) === third;
}

function ascends(view: DataView, before: number, after: number): boolean {
  for (let i = 0; i < ID_CHARS; i += WORD_BYTES) {
    const difference = view.getUint32(after + i) - view.getUint32(before + i);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function malformed(expected: string): PosternError {
  return new PosternError("malformed", `the recipients of an envelope must be ${expected}`);
}

function tooMany(): PosternError {
  return new PosternError("too_large", `an envelope of schema 2 has at most ${LIMITS.maxRecipients} recipients`);
}

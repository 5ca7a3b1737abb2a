/**
 * Reads JSON that an attacker may have written: bounded in size before it is read, in depth and number before anybody gets what was
 * read, and strict about what two readers could take for different things (spec: MAN-02, MAN-03).
 */
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { JsonValue } from "./json.ts";

/** A text, read. */
export interface JsonText {
  readonly value: JsonValue;
  /** Whether `writeJson` would write the same text. */
  readonly isCanonical: boolean;
}

/** `__proto__` is a member like any other in an object that has no prototype, and in what `JSON.parse` makes. */
type Members = Record<string, JsonValue>;

/**
 * Reads bytes as JSON.
 *
 * @param what for messages: "the envelope"
 * @throws `too_large` beyond `maxBytes`, the depth or the number of values of limits.ts; `malformed` for anything that is not
 * UTF-8 and JSON, for duplicate members, null, lone surrogates, and numbers other than integers from 0 to 2^53-1 in plain digits
 */
export function readJson(bytes: Uint8Array, maxBytes: number, what: string): JsonText {
  if (bytes.length > maxBytes) {
    throw new PosternError("too_large", `${what} has ${bytes.length} bytes; at most ${maxBytes} are read`);
  }
  const text = decodeUtf8(bytes, what);
  const value = bytes.length <= ENGINE_BYTES ? readByEngine(text) : undefined;
  return value === undefined ? new Reader(text, what, isPlain(bytes)).read() : { value, isCanonical: true };
}

/** The same, and canonical. @throws `malformed` also for any other spelling */
export function readCanonicalJson(bytes: Uint8Array, maxBytes: number, what: string): JsonValue {
  const { value, isCanonical } = readJson(bytes, maxBytes, what);
  if (!isCanonical) {
    throw new PosternError(
      "malformed",
      `${what} is not canonical JSON (RFC 8785): members sorted, no white space, no line end`,
    );
  }
  return value;
}

const REPLACEMENT = "\ufffd";

/** The lenient decoder takes a quarter of the time of the strict one, and what it has replaced shows. @throws `malformed` */
function decodeUtf8(bytes: Uint8Array, what: string): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PosternError("malformed", `${what} is not UTF-8`, { cause });
  }
}

/** A text of so many bytes cannot hold too many values: each takes a byte, and one between it and the next. */
const ENGINE_BYTES = 2 * LIMITS.maxJsonValues - 1;

/** How `JSON.stringify` writes a lone surrogate, which it gives back as it stood. */
const ESCAPED_SURROGATE = "\\ud";

/**
 * What the engine's own parser makes of a text, in a third of the time of {@link Reader}; undefined for anything but a canonical text
 * within all limits, about which the reader then says what is wrong.
 *
 * That the engine writes the same text again shows that nothing stood between the tokens, that no member came twice, and that every
 * string and number is in its one spelling.
 */
function readByEngine(text: string): JsonValue | undefined {
  if (text.includes(ESCAPED_SURROGATE)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isSortedJson(value, 1) && JSON.stringify(value) === text ? value : undefined;
}

/** Whether it has nothing but the types of MAN-01, no deeper than allowed, and its members are sorted. */
function isSortedJson(value: unknown, depth: number): value is JsonValue {
  if (depth > LIMITS.maxJsonDepth || value === null) return false;
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== "object") return true;
  if (Array.isArray(value)) return value.every((item) => isSortedJson(item, depth + 1));
  // By far the fastest walk over an object; those of `JSON.parse` inherit nothing that it would show.
  let last: string | null = null;
  for (const name in value) {
    if (last !== null && last > name || !isSortedJson((value as Members)[name], depth + 1)) return false;
    last = name;
  }
  return true;
}

const NUMBER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
// Control characters must be escaped (RFC 8259 section 7).
// deno-lint-ignore no-control-regex
const NOT_PLAIN = /[\u0000-\u001f\\]/;

const BACKSLASH = 0x5c;
const SPACES = 0x20202020;
const HIGH_BITS = 0x80808080;

/**
 * Whether no string can hold an escape or a control character, as in most files. Looking once and at four bytes at a time takes a tenth
 * of looking at each string: four bytes, less a space each, borrow into their high bits where one is below it.
 */
function isPlain(bytes: Uint8Array): boolean {
  if (bytes.includes(BACKSLASH)) return false;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    if ((((word - SPACES) | 0) & ~word & HIGH_BITS) !== 0) return false;
  }
  return bytes.subarray(4 * words.length).every((byte) => byte >= 0x20);
}

class Reader {
  readonly #text: string;
  readonly #what: string;
  readonly #isPlain: boolean;
  #at = 0;
  #values = 0;
  #isCanonical = true;

  constructor(text: string, what: string, isPlain: boolean) {
    this.#text = text;
    this.#what = what;
    this.#isPlain = isPlain;
  }

  read(): JsonText {
    const value = this.#value(1);
    this.#space();
    if (this.#at < this.#text.length) throw this.#malformed("the end");
    return { value, isCanonical: this.#isCanonical };
  }

  #value(depth: number): JsonValue {
    if (++this.#values > LIMITS.maxJsonValues) throw this.#tooLarge(`more than ${LIMITS.maxJsonValues} values`);
    if (depth > LIMITS.maxJsonDepth) throw this.#tooLarge(`nested deeper than ${LIMITS.maxJsonDepth}`);
    this.#space();
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    const members: Members = Object.create(null) as Members;
    this.#at++;
    if (this.#skips("}")) return members;
    let last: string | null = null;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#malformed("a member's name");
      const name = this.#string();
      if (name in members) throw this.#malformed("each member once");
      if (last !== null && last > name) this.#isCanonical = false;
      last = name;
      if (!this.#skips(":")) throw this.#malformed("a colon");
      members[name] = this.#value(depth + 1);
    } while (this.#skips(","));
    if (!this.#skips("}")) throw this.#malformed("a comma or the end of an object");
    return members;
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#skips("]")) return items;
    do items.push(this.#value(depth + 1)); while (this.#skips(","));
    if (!this.#skips("]")) throw this.#malformed("a comma or the end of an array");
    return items;
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (!this.#isPlain && end !== -1 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw this.#malformed("the end of a string");
    this.#at = end + 1;
    const plain = this.#text.slice(start + 1, end);
    if (this.#isPlain || !NOT_PLAIN.test(plain)) return plain;
    return this.#escapedString(this.#text.slice(start, end + 1));
  }

  /** Whether an odd number of backslashes stands before. */
  #isEscaped(quote: number, start: number): boolean {
    let at = quote - 1;
    while (at > start && this.#text[at] === "\\") at--;
    return (quote - 1 - at) % 2 === 1;
  }

  #escapedString(spelled: string): string {
    let value: unknown;
    try {
      value = JSON.parse(spelled);
    } catch (cause) {
      throw this.#malformed("a string as JSON has it", cause);
    }
    if (typeof value !== "string" || !value.isWellFormed()) throw this.#malformed("well-formed Unicode in a string");
    if (JSON.stringify(value) !== spelled) this.#isCanonical = false;
    return value;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#malformed("a string, an object, an array, true, false or a whole number");
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw this.#malformed("a number up to 2^53-1");
    this.#at += digits.length;
    return value;
  }

  #word(word: string, value: boolean): boolean {
    if (!this.#text.startsWith(word, this.#at)) throw this.#malformed("true or false");
    this.#at += word.length;
    return value;
  }

  #skips(token: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code > 0x20) return;
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#isCanonical = false;
    }
  }

  /** Where, but not what: the text may be secret. */
  #malformed(expected: string, cause?: unknown): PosternError {
    return new PosternError("malformed", `${this.#what}: expected ${expected} at character ${this.#at}`, { cause });
  }

  #tooLarge(found: string): PosternError {
    return new PosternError("too_large", `${this.#what} is ${found}`);
  }
}

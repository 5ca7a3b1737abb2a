/**
 * Reads JSON that an attacker may have written: bounded in size and number of values before anything is made of it, in depth before anything
 * is done with it, and strict about what two readers could take for different things (spec: MAN-02, MAN-03).
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
  const isShort = text.length <= SHORT_CHARS;
  if (!isShort) requireBounded(text, what);
  const value = readByEngine(text);
  if (value !== undefined) return { value, isCanonical: true };
  if (isShort) requireBounded(text, what);
  return { value: new Reader(text, what).read(), isCanonical: false };
}

/** As many values as are allowed do not fit into less: each takes a character, and one to part it from the next. */
const SHORT_CHARS = 2 * LIMITS.maxJsonValues - 1;

/**
 * The same, and canonical.
 *
 * @throws `malformed` also for any other spelling; and for members whose names are numbers where the engine would put them elsewhere: no
 * form has any
 */
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

const [QUOTE, COMMA] = [0x22, 0x2c];
const [OPEN_ARRAY, OPEN_OBJECT, CLOSE_ARRAY, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Counts what a text opens and separates, before any value is made: another value follows each, but what is empty. Where brackets do not
 * match, reading ends before anything is nested deeper than was counted.
 *
 * @throws `too_large`
 */
function requireBounded(text: string, what: string): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++;
        values++;
        if (depth > LIMITS.maxJsonDepth) throw tooLarge(what, `nested deeper than ${LIMITS.maxJsonDepth}`);
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
        break;
    }
  }
  if (values > LIMITS.maxJsonValues) throw tooLarge(what, `more than ${LIMITS.maxJsonValues} values`);
}

/** The last quote of the string whose first one is at `start`; the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
  } while (isEscaped(text, end));
  return end;
}

/** Whether an odd number of backslashes stands before. A string begins with a quote: none of them is further back. */
function isEscaped(text: string, quote: number): boolean {
  let count = 0;
  while (text[quote - 1 - count] === "\\") count++;
  return count % 2 === 1;
}

/** How an escaped surrogate begins. Looking for it alone takes a thirtieth of the time. */
const ESCAPED_SURROGATE = "\\ud";
/** A lone surrogate as `JSON.stringify` writes it, which gives it back as it stood: an escape, behind nothing or whole pairs of backslashes. */
const LONE_SURROGATE = /\\ud(?<=[^\\](?:\\\\)*\\ud)/;

/**
 * What the engine's own parser makes of a text, in a third of the time of {@link Reader}; undefined for anything but a canonical one.
 *
 * That the engine writes the same text again shows that nothing stood between the tokens, that no member came twice, and that every
 * string and number is in its one spelling.
 */
function readByEngine(text: string): JsonValue | undefined {
  if (text.includes(ESCAPED_SURROGATE) && LONE_SURROGATE.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isSortedJson(value, LIMITS.maxJsonDepth) && JSON.stringify(value) === text ? value : undefined;
}

/** Whether it has nothing but the types of MAN-01, its members are sorted, and it is no deeper than so many levels. */
function isSortedJson(value: unknown, levels: number): value is JsonValue {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== "object") return true;
  if (value === null || levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isSortedJson(item, levels - 1));
  // By far the fastest walk over an object; those of `JSON.parse` inherit nothing that it would show.
  let last = "";
  for (const name in value) {
    if (name < last || !isSortedJson((value as Members)[name], levels - 1)) return false;
    last = name;
  }
  return true;
}

const NUMBER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const SPACE: ReadonlySet<string | undefined> = new Set([" ", "\n", "\r", "\t"]);

/** Reads any spelling of a bounded text, and says what is wrong, and where. */
class Reader {
  readonly #text: string;
  readonly #what: string;
  #at = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  read(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#malformed("the end");
    return value;
  }

  #value(): JsonValue {
    this.#space();
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const members: Members = Object.create(null) as Members;
    this.#at++;
    if (this.#skips("}")) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#malformed("a member's name");
      const name = this.#string();
      if (name in members) throw this.#malformed("each member once");
      if (!this.#skips(":")) throw this.#malformed("a colon");
      members[name] = this.#value();
    } while (this.#skips(","));
    if (!this.#skips("}")) throw this.#malformed("a comma or the end of an object");
    return members;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#skips("]")) return items;
    do items.push(this.#value()); while (this.#skips(","));
    if (!this.#skips("]")) throw this.#malformed("a comma or the end of an array");
    return items;
  }

  #string(): string {
    const end = endOfString(this.#text, this.#at) + 1;
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(this.#at, end)) as string;
    } catch (cause) {
      throw this.#malformed("a string as JSON has it", cause);
    }
    if (!value.isWellFormed()) throw this.#malformed("well-formed Unicode in a string");
    this.#at = end;
    return value;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const value = Number(NUMBER.exec(this.#text)?.[0]);
    if (!Number.isSafeInteger(value)) {
      throw this.#malformed("a string, an object, an array, true, false or a whole number up to 2^53-1");
    }
    this.#at = NUMBER.lastIndex;
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
    while (SPACE.has(this.#text[this.#at])) this.#at++;
  }

  /** Where, but not what: the text may be secret. */
  #malformed(expected: string, cause?: unknown): PosternError {
    return new PosternError("malformed", `${this.#what}: expected ${expected} at character ${this.#at}`, { cause });
  }
}

function tooLarge(what: string, found: string): PosternError {
  return new PosternError("too_large", `${what} is ${found}`);
}

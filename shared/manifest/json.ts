/**
 * JSON as RFC 8785 writes it, over few types (spec: MAN-01). What is written here has one spelling, so a signature over the
 * text is a signature over what it says.
 */
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";

/** No null, no fractions, nothing negative. */
export type JsonValue = string | number | boolean | readonly JsonValue[] | JsonObject;

/** Members whose value is undefined are not there. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

/**
 * The canonical text: members sorted by UTF-16 code units, nothing between tokens, no line end.
 *
 * @throws `usage` for a lone surrogate or a number that is no integer from 0 to 2^53-1
 */
export function writeJson(value: JsonValue): string {
  if (typeof value === "string") return writeString(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) throw new PosternError("usage", "only integers from 0 to 2^53-1");
    return String(value);
  }
  if (isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  // The default order of sort() is that of UTF-16 code units.
  let members = "";
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) members += `,${writeString(name)}:${writeJson(member)}`;
  }
  return `{${members.slice(1)}}`;
}

/** `jcs(x)` of the specification: the UTF-8 of the canonical text. */
export function jcs(value: JsonValue): Bytes {
  return utf8(writeJson(value));
}

/**
 * The canonical text of a list of texts in which nothing needs an escape, such as labels, base64 and hex: what {@link writeJson} writes of
 * it, in a tenth of the time.
 */
export function writePlainList(...texts: readonly string[]): string {
  return `["${texts.join('","')}"]`;
}

/** ECMAScript's own spelling is the one that RFC 8785 section 3.2.2.2 asks for. */
function writeString(text: string): string {
  if (!text.isWellFormed()) throw new PosternError("usage", "a lone surrogate cannot be written as UTF-8");
  return JSON.stringify(text);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

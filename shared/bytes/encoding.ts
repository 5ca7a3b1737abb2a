/**
 * Bytes as text: hex, base64 and base64url (RFC 4648), in exactly one spelling each.
 *
 * A text is accepted only if encoding the decoded bytes gives the same text again. This one rule refuses upper-case hex,
 * white space, missing or surplus padding and unused bits that are not zero; otherwise one value would have many
 * spellings, and a signature over the text would not mean a signature over the value.
 */
import type { Bytes } from "./bytes.ts";
import { portableFromBase64, portableFromHex, portableToBase64, portableToHex } from "./encoding_portable.ts";
import { PosternError } from "../errors.ts";

const native = typeof Uint8Array.prototype.toBase64 === "function" && typeof Uint8Array.fromBase64 === "function" &&
  typeof Uint8Array.prototype.toHex === "function" && typeof Uint8Array.fromHex === "function";

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return native ? bytes.toHex() : portableToHex(bytes);
}

/**
 * Bytes of a lower-case hex text.
 *
 * @throws `malformed` for upper case, an odd number of digits, or any other character.
 */
export function fromHex(text: string): Bytes {
  return decodeExactly("lower-case hex", text, native ? Uint8Array.fromHex : portableFromHex, toHex);
}

/** Written over by every call, and read by none. */
const decodedHex = new Uint8Array(64);

/**
 * Whether a text is the lower-case hex of so many bytes, up to 64: what {@link fromHex} would take, without bytes that nobody needs. The
 * runtime's own decoder looks at 64 digits in a fifth of the time of a regular expression.
 */
export function isHexOf(text: string, bytes: number): boolean {
  if (text.length !== 2 * bytes || text.toLowerCase() !== text) return false;
  if (!native) return /^[0-9a-f]*$/.test(text);
  try {
    return decodedHex.setFromHex(text).written === bytes;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Base64 of RFC 4648 section 4, padded. */
export function toBase64(bytes: Uint8Array): string {
  return native ? bytes.toBase64() : portableToBase64(bytes, "base64");
}

/**
 * Bytes of a padded base64 text, as structured fields carry it (RFC 8941 section 3.3.5).
 *
 * @throws `malformed` for white space, missing padding, the URL alphabet, or unused bits that are not zero.
 */
export function fromBase64(text: string): Bytes {
  return decodeExactly("base64", text, native ? nativeFromBase64 : portableFromBase64, toBase64);
}

/** Base64url of RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return native ? bytes.toBase64({ alphabet: "base64url", omitPadding: true }) : portableToBase64(bytes, "base64url");
}

/**
 * Bytes of an unpadded base64url text.
 *
 * @throws `malformed` for padding, white space, the standard alphabet, or unused bits that are not zero.
 */
export function fromBase64Url(text: string): Bytes {
  return decodeExactly("base64url", text, native ? nativeFromBase64Url : portableFromBase64, toBase64Url);
}

function nativeFromBase64(text: string): Bytes {
  return Uint8Array.fromBase64(text);
}

function nativeFromBase64Url(text: string): Bytes {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** The text itself stays out of the message: it may be a key or a token. */
function decodeExactly(
  form: string,
  text: string,
  decode: (text: string) => Bytes,
  encode: (bytes: Uint8Array) => string,
): Bytes {
  let bytes: Bytes;
  try {
    bytes = decode(text);
  } catch (cause) {
    throw new PosternError("malformed", `expected ${form}, found ${text.length} characters that are not`, { cause });
  }
  if (encode(bytes) !== text) {
    throw new PosternError("malformed", `expected canonical ${form}, found another spelling of the same bytes`);
  }
  return bytes;
}

/**
 * Bytes as text: hex, base64 and base64url (RFC 4648), in exactly one spelling each.
 *
 * A text is accepted only if encoding the decoded bytes would give the same text again. This one rule refuses upper-case hex,
 * white space, missing or surplus padding and unused bits that are not zero; otherwise one value would have many
 * spellings, and a signature over the text would not mean a signature over the value.
 */
import type { Bytes } from "./bytes.ts";
import { NATIVE } from "./encoding_native.ts";
import { PORTABLE } from "./encoding_portable.ts";
import { PosternError } from "../errors.ts";

/** What the one needs came into the language all at once. */
const codec = typeof Uint8Array.prototype.toBase64 === "function" ? NATIVE : PORTABLE;

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return codec.toHex(bytes);
}

/**
 * Bytes of a lower-case hex text.
 *
 * @throws `malformed` for upper case, an odd number of digits, or any other character.
 */
export function fromHex(text: string): Bytes {
  return decodeExactly("lower-case hex", text, codec.fromHex, (bytes) => toHex(bytes) === text);
}

/**
 * Whether a text is the lower-case hex of so many bytes, up to 64: what {@link fromHex} would take, without bytes that nobody needs. The
 * runtime's own decoder looks at 64 digits in a fifth of the time of a regular expression.
 */
export function isHexOf(text: string, bytes: number): boolean {
  return codec.isHexOf(text, bytes);
}

/** Base64 of RFC 4648 section 4, padded. */
export function toBase64(bytes: Uint8Array): string {
  return codec.toBase64(bytes);
}

/**
 * Bytes of a padded base64 text, as structured fields carry it (RFC 8941 section 3.3.5).
 *
 * @throws `malformed` for white space, missing padding, the URL alphabet, or unused bits that are not zero.
 */
export function fromBase64(text: string): Bytes {
  return decodeExactly("base64", text, codec.fromBase64, (bytes) => codec.isExactBase64(bytes, text));
}

/** Base64url of RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return codec.toBase64Url(bytes);
}

/**
 * Bytes of an unpadded base64url text.
 *
 * @throws `malformed` for padding, white space, the standard alphabet, or unused bits that are not zero.
 */
export function fromBase64Url(text: string): Bytes {
  return decodeExactly("base64url", text, codec.fromBase64Url, (bytes) => toBase64Url(bytes) === text);
}

/** The text itself stays out of the message: it may be a key or a token. */
function decodeExactly(
  form: string,
  text: string,
  decode: (text: string) => Bytes,
  isExact: (bytes: Bytes) => boolean,
): Bytes {
  let bytes: Bytes;
  try {
    bytes = decode(text);
  } catch (cause) {
    throw new PosternError("malformed", `expected ${form}, found ${text.length} characters that are not`, { cause });
  }
  if (!isExact(bytes)) {
    throw new PosternError("malformed", `expected canonical ${form}, found another spelling of the same bytes`);
  }
  return bytes;
}

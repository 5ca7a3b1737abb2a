/**
 * Hex and base64 for runtimes without `Uint8Array.prototype.toBase64` and its kin (Node before 25, older browsers).
 *
 * The decoders make some bytes of any text; `encoding.ts` refuses what is not the text that the encoder makes of them.
 */
import type { Bytes } from "./bytes.ts";
import type { Codec } from "./encoding_native.ts";

const HEX = "0123456789abcdef";
const BASE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ALPHABETS = { base64: `${BASE}+/`, base64url: `${BASE}-_` } as const;

function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

function fromHex(text: string): Bytes {
  const digit = (at: number) => HEX.indexOf(text.charAt(at));
  return Uint8Array.from({ length: text.length >> 1 }, (_, i) => 16 * digit(2 * i) + digit(2 * i + 1));
}

/** Padded with the standard alphabet, unpadded with the URL alphabet: the two forms in use. */
function toBase64(bytes: Uint8Array, form: keyof typeof ALPHABETS): string {
  const alphabet = ALPHABETS[form];
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] ?? 0) * 65_536 + (bytes[i + 1] ?? 0) * 256 + (bytes[i + 2] ?? 0);
    const digits = Math.min(3, bytes.length - i) + 1;
    for (let d = 0; d < digits; d++) text += alphabet.charAt((group >> (18 - 6 * d)) & 63);
  }
  return form === "base64" ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text;
}

/** Takes both alphabets. */
function fromBase64(text: string): Bytes {
  const end = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i++) {
    held = ((held << 6) | digitOf(text.charCodeAt(i))) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (held >> bits) & 255;
  }
  return bytes;
}

function digitOf(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43 || code === 45) return 62;
  return 63;
}

/** The same as the runtime's own, of which it takes none. */
export const PORTABLE: Codec = {
  toHex,
  fromHex,
  isHexOf: (text, bytes) => text.length === 2 * bytes && /^[0-9a-f]*$/.test(text),
  toBase64: (bytes) => toBase64(bytes, "base64"),
  fromBase64,
  isExactBase64: (bytes, text) => toBase64(bytes, "base64") === text,
  toBase64Url: (bytes) => toBase64(bytes, "base64url"),
  fromBase64Url: fromBase64,
};

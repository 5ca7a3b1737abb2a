/**
 * Hex and base64 for runtimes without `Uint8Array.prototype.toBase64` and its kin (Node before 25, older browsers).
 *
 * The decoders are lenient; `encoding.ts` refuses every text that is not what the encoder would have written.
 */
import type { Bytes } from "./bytes.ts";

const HEX = "0123456789abcdef";
const BASE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ALPHABETS = { base64: `${BASE}+/`, base64url: `${BASE}-_` } as const;

export function portableToHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** @throws a plain error for an odd number of digits or another character. */
export function portableFromHex(text: string): Bytes {
  if (text.length % 2 !== 0) throw new SyntaxError("odd number of hex digits");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = HEX.indexOf(text.charAt(2 * i));
    const low = HEX.indexOf(text.charAt(2 * i + 1));
    if (high < 0 || low < 0) throw new SyntaxError("not a hex digit");
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

/** Padded with the standard alphabet, unpadded with the URL alphabet: the two forms in use. */
export function portableToBase64(bytes: Uint8Array, form: keyof typeof ALPHABETS): string {
  const alphabet = ALPHABETS[form];
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] ?? 0) * 65_536 + (bytes[i + 1] ?? 0) * 256 + (bytes[i + 2] ?? 0);
    const digits = Math.min(3, bytes.length - i) + 1;
    for (let d = 0; d < digits; d++) text += alphabet.charAt((group >> (18 - 6 * d)) & 63);
  }
  return form === "base64" ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text;
}

/** Takes both alphabets. @throws a plain error for any other character. */
export function portableFromBase64(text: string): Bytes {
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
  if (code === 47 || code === 95) return 63;
  throw new SyntaxError("not a base64 digit");
}

/** Hex and base64 of the runtime's own (ECMAScript 2026: browsers of 2025, Node from 25). */
import type { Bytes } from "./bytes.ts";

/** Between bytes and text. The decoders are lenient, and may throw a plain error for what they cannot read at all. */
export interface Codec {
  toHex(bytes: Uint8Array): string;
  fromHex(text: string): Bytes;
  /** Whether a text is the lower-case hex of so many bytes, up to 64. */
  isHexOf(text: string, bytes: number): boolean;
  toBase64(bytes: Uint8Array): string;
  fromBase64(text: string): Bytes;
  /** Whether a text that `fromBase64` took is the one that `toBase64` makes of the bytes. */
  isExactBase64(bytes: Uint8Array, text: string): boolean;
  toBase64Url(bytes: Uint8Array): string;
  fromBase64Url(text: string): Bytes;
}

/** Written over by every call, and read by none. */
const decodedHex = new Uint8Array(64);

export const NATIVE: Codec = {
  toHex: (bytes) => bytes.toHex(),
  fromHex: (text) => Uint8Array.fromHex(text),
  isHexOf(text, bytes) {
    if (text.length !== 2 * bytes || text.toLowerCase() !== text) return false;
    try {
      return decodedHex.setFromHex(text).written === bytes;
    } catch {
      return false;
    }
  },
  toBase64: (bytes) => bytes.toBase64(),
  fromBase64: (text) => Uint8Array.fromBase64(text, { lastChunkHandling: "strict" }),
  // The strict decoder takes white space and nothing else that is not canonical, so a text that is no longer than it must be has none.
  isExactBase64: (bytes, text) => text.length === 4 * Math.ceil(bytes.length / 3),
  toBase64Url: (bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
  fromBase64Url: (text) => Uint8Array.fromBase64(text, { alphabet: "base64url" }),
};

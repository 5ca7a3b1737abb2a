import type { Bytes } from "../bytes/bytes.ts";

/** Gives that many unpredictable bytes. Handed down from entry points, so that tests can hand down others. */
export type RandomBytes = (length: number) => Bytes;

/** `getRandomValues` refuses to fill more at once (Web Cryptography API, section 10.1.1). */
const MAX_FILL_BYTES = 65_536;

/** The runtime's own generator. */
export function webCryptoRandom(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_FILL_BYTES) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + MAX_FILL_BYTES)));
  }
  return bytes;
}

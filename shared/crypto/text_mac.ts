/**
 * The hashes of signed HTTP messages: of texts, and as base64 texts. They are most of what a signed request costs, and half of that
 * was making and collecting small arrays (measured: 7.1 microseconds for a MAC of 650 bytes, 3.3 like this).
 */
import { utf8 } from "../bytes/bytes.ts";
import { toBase64 } from "../bytes/encoding.ts";
import { hmacSha256, sha256, SHA256_BYTES } from "./hash.ts";
import { nativeCrypto } from "./native.ts";

/** Block size of SHA-256 in bytes. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;
/** A longer text takes the general way. */
const MAX_TEXT_BYTES = 4_096;
const MAX_UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
/** What is hashed first and second (RFC 2104 section 2), written anew each time. */
const inner = new Uint8Array(BLOCK_BYTES + MAX_TEXT_BYTES);
const innerText = inner.subarray(BLOCK_BYTES);
const outer = new Uint8Array(BLOCK_BYTES + SHA256_BYTES);

/** HMAC-SHA-256 of a text in UTF-8, in base64. @param key at most 64 bytes */
export function hmacSha256Text(key: Uint8Array, text: string): string {
  const hash = nativeCrypto?.hash;
  if (hash === undefined || text.length * MAX_UTF8_BYTES_PER_UNIT > MAX_TEXT_BYTES || key.length > BLOCK_BYTES) {
    return toBase64(hmacSha256(key, utf8(text)));
  }
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = key[i] ?? 0;
    inner[i] = byte ^ INNER;
    outer[i] = byte ^ OUTER;
  }
  const { written } = encoder.encodeInto(text, innerText);
  outer.set(hash("sha256", inner.subarray(0, BLOCK_BYTES + written), "buffer"), BLOCK_BYTES);
  return hash("sha256", outer, "base64");
}

/** SHA-256 in base64. */
export function sha256Base64(bytes: Uint8Array): string {
  const hash = nativeCrypto?.hash;
  return hash === undefined ? toBase64(sha256(bytes)) : hash("sha256", bytes, "base64");
}

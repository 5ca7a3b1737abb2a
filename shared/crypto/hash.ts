/**
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), synchronous, because rows and requests need many short ones and a promise
 * costs more than the hash.
 *
 * Each exists twice: portable JavaScript, and the runtime's own from the size on where it is faster.
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { nativeCrypto } from "./native.ts";
import { shortSha256 } from "./short_sha256.ts";

export const SHA256_BYTES = 32;

const NOTHING: Bytes = new Uint8Array(0);

/** Block size of SHA-256 in bytes; a longer HMAC key is hashed first. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * Measured in Deno 2.9 on a busy machine, microseconds of CPU portable / native: SHA-256 of 96 bytes 2.7 / 4.9, 192 bytes 3.6 / 5.4,
 * 256 bytes 3.6 / 5.2, 1,280 bytes 8.9 / 5.5.
 */
const NATIVE_HASH_FROM_BYTES = 384;

/** SHA-256, 32 bytes. @param more follows the bytes, which then need not be joined first */
export function sha256(bytes: Uint8Array, more: Uint8Array = NOTHING): Bytes {
  if (!nativeCrypto || bytes.length + more.length < NATIVE_HASH_FROM_BYTES) return shortSha256(bytes, more);
  const hash = nativeCrypto.createHash("sha256").update(bytes);
  return plain((more.length === 0 ? hash : hash.update(more)).digest());
}

// One pair for all calls, written over every time: two new arrays a call cost as much as one of the two hashes. No function
// here gives way in between, so no two uses meet.
const innerPad = new Uint8Array(BLOCK_BYTES);
const outerPad = new Uint8Array(BLOCK_BYTES);

/**
 * HMAC-SHA-256, 32 bytes. A key may have any length; those of Postern have 32 bytes.
 *
 * @param message bytes, or a text that stands for its UTF-8, which then need not be made first
 * @param more follows the message
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string, more: Uint8Array = NOTHING): Bytes {
  const block = key.length > BLOCK_BYTES ? sha256(key) : key;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = block[i] ?? 0;
    innerPad[i] = byte ^ INNER;
    outerPad[i] = byte ^ OUTER;
  }
  return shortSha256(outerPad, innerHash(message, more));
}

/** A text goes to the runtime's own, whatever its length: turning it into bytes costs as much as the hash. */
function innerHash(message: Uint8Array | string, more: Uint8Array): Uint8Array {
  if (nativeCrypto && (typeof message === "string" || message.length + more.length >= NATIVE_HASH_FROM_BYTES)) {
    const hash = nativeCrypto.createHash("sha256").update(innerPad).update(message);
    return (more.length === 0 ? hash : hash.update(more)).digest();
  }
  return shortSha256(innerPad, typeof message === "string" ? utf8(message) : message, more);
}

/** Takes a long input piece by piece. */
export interface Sha256Hasher {
  /** Takes the next piece; the caller may change it afterwards. */
  update(piece: Uint8Array): void;
  /** The hash of all pieces; nothing may follow. */
  digest(): Bytes;
}

/** Starts a SHA-256 over pieces. Memory stays the same however long the input is. */
export function createSha256(): Sha256Hasher {
  const hash = nativeCrypto ? nativeCrypto.createHash("sha256") : nobleSha256.create();
  return { update: (piece) => void hash.update(piece), digest: () => plain(hash.digest()) };
}

/** Node hands out a subclass, whose `slice` does not copy. Measured: filling an array takes a third less than making it of the other. */
function plain(bytes: Uint8Array): Bytes {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

/**
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), synchronous, because rows and requests need many short ones and a promise
 * costs more than the hash.
 *
 * Each exists twice: portable JavaScript, and the runtime's own from the size on where it is faster.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { nativeCrypto } from "./native.ts";

export const SHA256_BYTES = 32;

/** Block size of SHA-256 in bytes; a longer HMAC key is hashed first. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * Measured in Deno 2.9, microseconds portable / native: SHA-256 of 64 bytes 1.3 / 1.3, 256 bytes 2.2 / 1.4, 1 KiB 5.8 / 1.6,
 * 16 KiB 74 / 10; HMAC of 64 bytes 4.4 / 3.6, 240 bytes 5.9 / 3.1, 760 bytes 9.0 / 3.7.
 */
const NATIVE_HASH_FROM_BYTES = 128;

/** SHA-256 of the bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Bytes {
  if (!nativeCrypto || bytes.length < NATIVE_HASH_FROM_BYTES) return nobleSha256(bytes);
  return plain(nativeCrypto.createHash("sha256").update(bytes).digest());
}

// One pair for all calls, written over every time: two new arrays a call cost as much as one of the two hashes. No function
// here gives way in between, so no two uses meet.
const innerPad = new Uint8Array(BLOCK_BYTES);
const outerPad = new Uint8Array(BLOCK_BYTES);

/**
 * HMAC-SHA-256, 32 bytes. A key may have any length; those of Postern have 32 bytes.
 *
 * @param message bytes, or a text that stands for its UTF-8, which then need not be made first
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string): Bytes {
  if (!nativeCrypto) return hmac(nobleSha256, key, typeof message === "string" ? utf8(message) : message);
  const block = key.length > BLOCK_BYTES ? sha256(key) : key;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = block[i] ?? 0;
    innerPad[i] = byte ^ INNER;
    outerPad[i] = byte ^ OUTER;
  }
  const digest = nativeCrypto.createHash("sha256").update(innerPad).update(message).digest();
  return plain(nativeCrypto.createHash("sha256").update(outerPad).update(digest).digest());
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

/** Node hands out a subclass, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

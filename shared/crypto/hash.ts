/**
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), synchronous, because rows and requests need many short ones and a promise
 * costs more than the hash.
 *
 * Each exists as portable JavaScript and as the runtime's own, which is used from the size on where it is faster.
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

/** A longer message of an HMAC is hashed in two pieces instead of being copied behind its key. */
const MAX_COPIED_BYTES = 4_096;
const MAX_UTF8_BYTES_PER_UNIT = 3;

/**
 * The way that costs least where there is one: a single call, and its result in hex, which Deno hands out three times as fast as
 * bytes. Measured on a busy machine, microseconds by objects / like this: SHA-256 of 90 bytes 4.6 / 1.7, of 1.3 KiB 6.1 / 2.7;
 * HMAC of 90 bytes 8.1 / 3.0, of 650 bytes 6.5 / 2.1.
 */
const hexHash = typeof Uint8Array.prototype.setFromHex === "function" ? nativeCrypto?.hash : undefined;

/** From this length on, an object of the runtime is faster than portable JavaScript. */
const NATIVE_HASH_FROM_BYTES = 128;

/** SHA-256 of the bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Bytes {
  if (hexHash !== undefined) return Uint8Array.fromHex(hexHash("sha256", bytes, "hex"));
  if (!nativeCrypto || bytes.length < NATIVE_HASH_FROM_BYTES) return nobleSha256(bytes);
  return plain(nativeCrypto.createHash("sha256").update(bytes).digest());
}

// One pair for all calls, written over every time: what is hashed first and second (RFC 2104 section 2). New arrays for each call
// cost as much as one of the two hashes. No function here gives way in between, so no two uses meet.
const inner = new Uint8Array(BLOCK_BYTES + MAX_COPIED_BYTES);
const innerPad = inner.subarray(0, BLOCK_BYTES);
const innerMessage = inner.subarray(BLOCK_BYTES);
const outer = new Uint8Array(BLOCK_BYTES + SHA256_BYTES);
const outerPad = outer.subarray(0, BLOCK_BYTES);
const outerDigest = outer.subarray(BLOCK_BYTES);
const encoder = new TextEncoder();

/**
 * HMAC-SHA-256, 32 bytes. A key may have any length; those of Postern have 32 bytes.
 *
 * @param message bytes, or a text that stands for its UTF-8, which then need not be made first
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string): Bytes {
  if (!nativeCrypto) return hmac(nobleSha256, key, typeof message === "string" ? utf8(message) : message);
  const block = key.length > BLOCK_BYTES ? sha256(key) : key;
  for (let i = 0; i < block.length; i++) {
    const byte = block[i] ?? 0;
    innerPad[i] = byte ^ INNER;
    outerPad[i] = byte ^ OUTER;
  }
  innerPad.fill(INNER, block.length);
  outerPad.fill(OUTER, block.length);
  if (hexHash === undefined || !fits(message)) {
    const digest = nativeCrypto.createHash("sha256").update(innerPad).update(message).digest();
    return plain(nativeCrypto.createHash("sha256").update(outerPad).update(digest).digest());
  }
  const length = write(message, innerMessage);
  outerDigest.setFromHex(hexHash("sha256", inner.subarray(0, BLOCK_BYTES + length), "hex"));
  return Uint8Array.fromHex(hexHash("sha256", outer, "hex"));
}

function fits(message: Uint8Array | string): boolean {
  return message.length * (typeof message === "string" ? MAX_UTF8_BYTES_PER_UNIT : 1) <= MAX_COPIED_BYTES;
}

/** Writes the message; its length in bytes. */
function write(message: Uint8Array | string, to: Uint8Array): number {
  if (typeof message === "string") return encoder.encodeInto(message, to).written;
  to.set(message);
  return message.length;
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

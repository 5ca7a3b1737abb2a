/**
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), synchronous, because rows and requests need many short ones and a promise
 * costs more than the hash.
 *
 * Each exists as portable JavaScript and as the runtime's own, which is used from the size on where it is faster.
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "../bytes/bytes.ts";
import { nativeCrypto } from "./native.ts";
import { shortSha256 } from "./short_sha256.ts";

export const SHA256_BYTES = 32;

/** Block size of SHA-256 in bytes; a longer HMAC key is hashed first. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;

const NOTHING: Bytes = new Uint8Array(0);

/** Up to this length two pieces are copied behind each other; longer ones are handed to an object of the runtime. */
const MAX_COPIED_BYTES = 4_096;
const MAX_UTF8_BYTES_PER_UNIT = 3;

/**
 * The way that costs least where there is one, but for the shortest: a single call, and its result in hex, which Deno hands out three
 * times as fast as bytes. Measured on a busy machine, microseconds by objects / like this: SHA-256 of 90 bytes 4.6 / 1.7, of 1.3 KiB
 * 6.1 / 2.7; HMAC of 90 bytes 8.1 / 3.0, of 650 bytes 6.5 / 2.1. By portable JavaScript: 40 bytes 0.8, 90 bytes 1.8.
 */
const hexHash = typeof Uint8Array.prototype.setFromHex === "function" ? nativeCrypto?.hash : undefined;

/** From this length on, the runtime is faster than portable JavaScript: by a call for hex, by an object. */
const HEX_FROM_BYTES = 65;
const OBJECT_FROM_BYTES = 384;

/** SHA-256, 32 bytes. @param more follows the bytes, which then need not be joined first */
export function sha256(bytes: Uint8Array, more: Uint8Array = NOTHING): Bytes {
  const length = bytes.length + more.length;
  if (!nativeCrypto || length < (hexHash === undefined ? OBJECT_FROM_BYTES : HEX_FROM_BYTES)) {
    return shortSha256(bytes, more);
  }
  if (hexHash !== undefined && more.length === 0) return Uint8Array.fromHex(hexHash("sha256", bytes, "hex"));
  if (hexHash !== undefined && length <= MAX_COPIED_BYTES) {
    innerMessage.set(bytes);
    innerMessage.set(more, bytes.length);
    return Uint8Array.fromHex(hexHash("sha256", innerMessage.subarray(0, length), "hex"));
  }
  return plain(nativeCrypto.createHash("sha256").update(bytes).update(more).digest());
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
 * @param more follows the message
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array | string, more: Uint8Array = NOTHING): Bytes {
  const block = key.length > BLOCK_BYTES ? sha256(key) : key;
  for (let i = 0; i < block.length; i++) {
    const byte = block[i] ?? 0;
    innerPad[i] = byte ^ INNER;
    outerPad[i] = byte ^ OUTER;
  }
  innerPad.fill(INNER, block.length);
  outerPad.fill(OUTER, block.length);
  if (hexHash !== undefined && fits(message, more)) {
    const length = write(message, more);
    outerDigest.setFromHex(hexHash("sha256", inner.subarray(0, BLOCK_BYTES + length), "hex"));
    return Uint8Array.fromHex(hexHash("sha256", outer, "hex"));
  }
  return shortSha256(outerPad, innerHash(message, more));
}

function fits(message: Uint8Array | string, more: Uint8Array): boolean {
  const most = message.length * (typeof message === "string" ? MAX_UTF8_BYTES_PER_UNIT : 1) + more.length;
  return most <= MAX_COPIED_BYTES;
}

/** Writes the message and what follows it behind the inner pad; their length in bytes. */
function write(message: Uint8Array | string, more: Uint8Array): number {
  let length = message.length;
  if (typeof message === "string") length = encoder.encodeInto(message, innerMessage).written;
  else innerMessage.set(message);
  innerMessage.set(more, length);
  return length + more.length;
}

/** A text goes to the runtime's own, whatever its length: turning it into bytes costs as much as the hash. */
function innerHash(message: Uint8Array | string, more: Uint8Array): Uint8Array {
  if (nativeCrypto && (typeof message === "string" || message.length + more.length >= OBJECT_FROM_BYTES)) {
    return nativeCrypto.createHash("sha256").update(innerPad).update(message).update(more).digest();
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

/** Node hands out a subclass, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

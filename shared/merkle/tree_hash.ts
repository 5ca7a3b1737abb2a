/**
 * Keys and hashes of the state tree (shared/spec/tree.md), and nothing about how it is kept.
 *
 * The tree is a crit-bit tree: an inner node names the first bit in which the keys below it differ. That makes it a
 * function of the set of leaves alone. Both hashes begin with a byte of their own, so that a leaf cannot be passed off
 * as an inner node; their inputs have fixed lengths, so that nothing in them can be moved.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { shortSha256 } from "../crypto/short_sha256.ts";

/** Bytes of an index token, the first part of a key. */
export const TOKEN_BYTES = 32;
/** Bytes of a key: index token, then number as 8 bytes, big-endian. */
export const KEY_BYTES = 40;
/** Bits of a key; bit 0 is the most significant of the first byte. */
export const KEY_BITS = 320;

/** One row in the tree. */
export interface Leaf {
  /** 40 bytes, see {@link treeKey}. */
  readonly key: Bytes;
  /** 32 bytes. */
  readonly rowHash: Bytes;
}

const LEAF = 0x00;
const INNER = 0x01;

/** Root of the tree without leaves: `SHA-256(0x02)`. */
// spec: TREE-03
export const EMPTY_ROOT: Bytes = shortSha256(Uint8Array.of(0x02));

/**
 * The key of a row.
 * @throws `malformed` unless the token has 32 bytes and the number is an integer from 0 to 2^53 - 1.
 */
export function treeKey(token: Uint8Array, number: number): Bytes {
  if (token.length !== TOKEN_BYTES) throw new PosternError("malformed", `a token has 32 bytes, not ${token.length}`);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new PosternError("malformed", `the number of a row is an integer from 0, not ${number}`);
  }
  const key = new Uint8Array(KEY_BYTES);
  key.set(token);
  const view = new DataView(key.buffer);
  view.setUint32(TOKEN_BYTES, Math.floor(number / 2 ** 32));
  view.setUint32(TOKEN_BYTES + 4, number % 2 ** 32);
  return key;
}

/** Refuses what is no leaf: every place that takes one from outside asks here. */
export function requireLeaf(leaf: Leaf): void {
  requireKey(leaf.key);
  if (leaf.rowHash.length !== SHA256_BYTES) {
    throw new PosternError("malformed", `a row hash has 32 bytes, not ${leaf.rowHash.length}`);
  }
}

/** Refuses what is no key. */
export function requireKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new PosternError("malformed", `a key has 40 bytes, not ${key.length}`);
}

// Both inputs are short and hashed by the hundred thousand: one buffer each, written over every time. No function here
// gives way in between, so no two uses meet.
const leafInput = new Uint8Array(1 + KEY_BYTES + SHA256_BYTES);
leafInput[0] = LEAF;
const innerInput = new Uint8Array(1 + 2 + 2 * SHA256_BYTES);
innerInput[0] = INNER;

/** `SHA-256(0x00 || key || row hash)`. */
// spec: TREE-01
export function leafHash(key: Uint8Array, rowHash: Uint8Array): Bytes {
  leafInput.set(key, 1);
  leafInput.set(rowHash, 1 + KEY_BYTES);
  return shortSha256(leafInput);
}

/** `SHA-256(0x01 || bit || left || right)`, with the bit in which left and right differ as 2 bytes, big-endian. */
// spec: TREE-02
export function innerHash(bit: number, left: Uint8Array, right: Uint8Array): Bytes {
  innerInput[1] = bit >> 8;
  innerInput[2] = bit & 0xff;
  innerInput.set(left, 3);
  innerInput.set(right, 3 + SHA256_BYTES);
  return shortSha256(innerInput);
}

/** Bit of a key, 0 or 1; the key may start anywhere in `bytes`. */
export function bitAt(bytes: Uint8Array, start: number, bit: number): number {
  return ((bytes[start + (bit >> 3)] ?? 0) >> (7 - (bit & 7))) & 1;
}

/** The first bit in which two keys differ, or {@link KEY_BITS} if none does. */
export function firstDifferingBit(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): number {
  for (let i = 0; i < KEY_BYTES; i++) {
    const difference = (a[aStart + i] ?? 0) ^ (b[bStart + i] ?? 0);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return KEY_BITS;
}

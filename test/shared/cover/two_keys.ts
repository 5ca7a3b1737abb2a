/**
 * One AES-GCM ciphertext, tag included, that opens under two keys: Dodis, Grubbs, Ristenpart, Woodage, "Fast Message Franking" (2018),
 * section 3.2. GHASH is a polynomial in a value that follows from the key, so one free block makes both tags the same.
 */
import { createCipheriv } from "node:crypto";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";

const BLOCK_BYTES = 16;
const FIELD_BITS = 128n;
/** x^128 + x^7 + x^2 + x + 1 without its highest term, with the bits in GCM's order (NIST SP 800-38D section 6.3). */
const POLYNOMIAL = 0xe1n << 120n;

/** A key and the 16 bytes that are to be read under it. */
export interface Reading {
  readonly key: Bytes;
  readonly block: Bytes;
}

/** Three blocks and a tag: the first reads as wanted under the first key, the second under the second, the third makes it fit. */
export function sealForTwoKeys(first: Reading, second: Reading, nonce: Bytes): {
  readonly ciphertext: Bytes;
  readonly firstAt: number;
  readonly secondAt: number;
} {
  const [a, b] = [first, second].map(({ key }) => (block: Bytes) => encryptBlock(key, block)) as [Cipher, Cipher];
  const [hashA, hashB] = [a, b].map((cipher) => toNumber(cipher(new Uint8Array(BLOCK_BYTES)))) as [bigint, bigint];
  const one = toNumber(a(counter(nonce, 2))) ^ toNumber(first.block);
  const two = toNumber(b(counter(nonce, 3))) ^ toNumber(second.block);
  const lengths = BigInt(3 * BLOCK_BYTES * 8);
  const [startA, startB] = [a, b].map((cipher) => toNumber(cipher(counter(nonce, 1)))) as [bigint, bigint];
  const known = (hash: bigint, start: bigint) =>
    multiply(one, power(hash, 4)) ^ multiply(two, power(hash, 3)) ^ multiply(lengths, hash) ^ start;
  const difference = known(hashA, startA) ^ known(hashB, startB);
  const three = multiply(difference, inverse(power(hashA, 2) ^ power(hashB, 2)));
  const tag = known(hashA, startA) ^ multiply(three, power(hashA, 2));
  return { ciphertext: concat(...[one, two, three, tag].map(toBlock)), firstAt: 0, secondAt: BLOCK_BYTES };
}

type Cipher = (block: Bytes) => Bytes;

function encryptBlock(key: Bytes, block: Bytes): Bytes {
  const cipher = createCipheriv("aes-256-ecb", key, null);
  cipher.setAutoPadding(false);
  return new Uint8Array(cipher.update(block));
}

function counter(nonce: Bytes, count: number): Bytes {
  return concat(nonce, Uint8Array.of(0, 0, 0, count));
}

function toNumber(block: Bytes): bigint {
  return BigInt(`0x${toHex(block)}`);
}

function toBlock(number: bigint): Bytes {
  return fromHex(number.toString(16).padStart(2 * BLOCK_BYTES, "0"));
}

/** NIST SP 800-38D algorithm 1. */
function multiply(x: bigint, y: bigint): bigint {
  let [product, shifted] = [0n, y];
  for (let bit = FIELD_BITS - 1n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return product;
}

function power(x: bigint, exponent: number): bigint {
  return exponent === 1 ? x : multiply(x, power(x, exponent - 1));
}

/** By Fermat: x^(2^128 - 2), the product of x^2, x^4, ... */
function inverse(x: bigint): bigint {
  let [result, square] = [1n << (FIELD_BITS - 1n), x];
  for (let i = 1n; i < FIELD_BITS; i++) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}

/**
 * One AES-GCM ciphertext that opens under two keys, to two plaintexts (Dodis, Grubbs, Ristenpart, Woodage, "Fast message franking",
 * CRYPTO 2018, section 3): all blocks but the last are free, and the last one is solved for, so that both tags are the same.
 */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";

const BLOCK = 16;
/** x^128 + x^7 + x^2 + x + 1, its bits in GCM's order. */
const REDUCTION = 0xe1n << 120n;

/** Ciphertext and tag; `blocks` is what the ciphertext begins with, a multiple of 16 bytes. */
export async function sealUnderTwoKeys(
  keys: readonly [Bytes, Bytes],
  iv: Bytes,
  aad: Bytes,
  blocks: Bytes,
): Promise<Bytes> {
  const [first, second] = await Promise.all(keys.map((key) => stateOf(key, iv)));
  if (first === undefined || second === undefined) throw new RangeError("two keys");
  const ciphertext = concat(blocks, new Uint8Array(BLOCK));
  const lengths = new Uint8Array(BLOCK);
  new DataView(lengths.buffer).setBigUint64(0, BigInt(8 * aad.length));
  new DataView(lengths.buffer).setBigUint64(8, BigInt(8 * ciphertext.length));
  const input = concat(padded(aad), ciphertext, lengths);
  const tagOf = ({ h, mask }: State, data: Bytes) => ghash(h, data) ^ mask;
  // The last block is multiplied by h² on its way into the tag.
  const difference = tagOf(first, input) ^ tagOf(second, input);
  const slope = multiply(first.h, first.h) ^ multiply(second.h, second.h);
  const last = multiply(difference, inverse(slope));
  const solved = concat(blocks, toBlock(last));
  return concat(solved, toBlock(tagOf(first, concat(padded(aad), solved, lengths))));
}

interface State {
  readonly h: bigint;
  /** What the tag is masked with. */
  readonly mask: bigint;
}

async function stateOf(key: Bytes, iv: Bytes): Promise<State> {
  const ctr = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  const block = async (counter: Bytes) => {
    const bytes = await crypto.subtle.encrypt({ name: "AES-CTR", counter, length: 32 }, ctr, new Uint8Array(BLOCK));
    return toNumber(new Uint8Array(bytes));
  };
  return { h: await block(new Uint8Array(BLOCK)), mask: await block(concat(iv, new Uint8Array([0, 0, 0, 1]))) };
}

function ghash(h: bigint, data: Bytes): bigint {
  let state = 0n;
  for (let at = 0; at < data.length; at += BLOCK) state = multiply(state ^ toNumber(data.subarray(at, at + BLOCK)), h);
  return state;
}

/** In GF(2^128), NIST SP 800-38D section 6.3. */
function multiply(x: bigint, y: bigint): bigint {
  let [product, shifted] = [0n, y];
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= shifted;
    shifted = (shifted >> 1n) ^ (shifted & 1n ? REDUCTION : 0n);
  }
  return product;
}

/** x^(2^128 - 2). */
function inverse(x: bigint): bigint {
  let [result, power] = [1n << 127n, multiply(x, x)];
  for (let bit = 1; bit < 128; bit++) {
    result = multiply(result, power);
    power = multiply(power, power);
  }
  return result;
}

function padded(bytes: Bytes): Bytes {
  return concat(bytes, new Uint8Array((BLOCK - bytes.length % BLOCK) % BLOCK));
}

function toNumber(block: Uint8Array): bigint {
  return BigInt(`0x${toHex(block)}`);
}

function toBlock(number: bigint): Bytes {
  return fromHex(number.toString(16).padStart(2 * BLOCK, "0"));
}

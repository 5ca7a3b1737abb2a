/** The state tree as shared/spec/tree.md defines it: recursive, over the set of leaves, with nothing kept. */
import fc from "fast-check";
import { type Bytes, compareBytes, concat } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";

/** The root of a set of leaves with different keys. */
export function naiveStateRoot(leaves: readonly Leaf[]): Bytes {
  const [first] = leaves;
  if (first === undefined) return sha256(Uint8Array.of(2));
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), first.key, first.rowHash));
  const { bit, zero, one } = splitLeaves(leaves);
  const index = Uint8Array.of(Math.floor(bit / 256), bit % 256);
  return sha256(concat(Uint8Array.of(1), index, naiveStateRoot(zero), naiveStateRoot(one)));
}

/** The first bit in which at least two leaves differ, and those with each value of it. */
export function splitLeaves(leaves: readonly Leaf[]): { bit: number; zero: Leaf[]; one: Leaf[] } {
  for (let bit = 0; bit < 320; bit++) {
    const zero = leaves.filter((leaf) => bitOf(leaf.key, bit) === 0);
    const one = leaves.filter((leaf) => bitOf(leaf.key, bit) === 1);
    if (zero.length > 0 && one.length > 0) return { bit, zero, one };
  }
  throw new Error("two leaves have the same key");
}

function bitOf(key: Uint8Array, bit: number): number {
  return ((key[Math.floor(bit / 8)] ?? 0) >> (7 - bit % 8)) % 2;
}

/** Keys as they occur (many numbers under few tokens) and as they hardly do (equal but for any one bit). */
export const keys: fc.Arbitrary<Bytes> = fc.oneof(
  fc.tuple(fc.nat(3), fc.nat(12)).map(([token, number]) => treeKey(sha256(Uint8Array.of(token)), number)),
  fc.nat(319).map((bit) => {
    const key = new Uint8Array(40);
    key[bit >> 3] = 0x80 >> (bit & 7);
    return key;
  }),
  fc.uint8Array({ minLength: 40, maxLength: 40 }).map((bytes) => new Uint8Array(bytes)),
);

/** Few different values, so that some leaves are equal but for their keys. */
export const rowHashes: fc.Arbitrary<Bytes> = fc.nat(5).map((n) => sha256(Uint8Array.of(n, 1)));

/** Sets of leaves, each key once, in any order. */
export const leafSets: fc.Arbitrary<Leaf[]> = fc.uniqueArray(
  fc.record({ key: keys, rowHash: rowHashes }, { noNullPrototype: true }),
  {
    selector: (leaf) => toHex(leaf.key),
    maxLength: 40,
  },
);

/** The leaves in ascending order of their keys. */
export function sorted(leaves: readonly Leaf[]): Leaf[] {
  return leaves.toSorted((a, b) => compareBytes(a.key, b.key));
}

/** `count` leaves as a table has them: lists of ten rows under tokens that look random; sorted. */
export function tableLeaves(count: number): Leaf[] {
  const leaves = Array.from({ length: count }, (_, i) => {
    const list = Math.floor(i / 10);
    const token = sha256(Uint8Array.of(list & 255, (list >> 8) & 255, list >> 16));
    return { key: treeKey(token, i % 10), rowHash: token };
  });
  return sorted(leaves);
}

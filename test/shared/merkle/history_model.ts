/** The history tree as RFC 6962, section 2.1, defines it: recursive, over all leaves, with nothing kept. */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";

/** MTH(D[n]). */
export function naiveRoot(leaves: readonly Bytes[]): Bytes {
  const [first] = leaves;
  if (first === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), first));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(concat(Uint8Array.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split))));
}

/** PATH(m, D[n]) of RFC 9162, section 2.1.3.1. */
export function naivePath(leaves: readonly Bytes[], index: number): Bytes[] {
  if (leaves.length < 2) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...naivePath(left, index), naiveRoot(right)]
    : [...naivePath(right, index - split), naiveRoot(left)];
}

/** Different leaves, the same ones every time. */
export function makeLeaves(count: number): Bytes[] {
  return Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i & 255, i >> 8)));
}

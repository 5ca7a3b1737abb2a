/** Proofs as shared/spec/tree.md defines them: recursive, over the whole set of leaves, with nothing kept. */
import fc from "fast-check";
import { type Bytes, compareBytes, concat } from "../../../shared/bytes/bytes.ts";
import { leafNode, type ProofNode } from "../../../shared/merkle/proof_node.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";
import type { RangeClaim } from "../../../shared/merkle/verify_proof.ts";
import { keys, naiveStateRoot, splitLeaves } from "./state_tree_model.ts";

export type Range = Pick<RangeClaim, "lowest" | "highest">;

/** The leaves in a range, which is what an honest answer shows. */
export function rowsIn(leaves: readonly Leaf[], range: Range): Leaf[] {
  return leaves.filter(({ key }) => isIn(key, range));
}

/**
 * The smallest proof for a range.
 *
 * @param leaves all of the table, sorted
 * @param show which leaves of the range are shown; all, unless the prover lies
 */
export function naiveProof(
  leaves: readonly Leaf[],
  range: Range,
  show: (leaf: Leaf) => boolean = ({ key }) => isIn(key, range),
): ProofNode[] {
  const [only] = leaves;
  if (only === undefined) return [];
  if (leaves.length === 1) return [show(only) ? null : leafNode(only)];
  const { bit, zero, one } = splitLeaves(leaves);
  const [isLeft, isRight] = [zero, one].map((side) => meets(boundsOf(side, bit + 1), range));
  // Where neither side meets the range, one leaf still has to tell how the keys below this node begin.
  const left = isLeft || !isRight ? naiveProof(zero, range, show) : [naiveStateRoot(zero)];
  return [bit, ...left, ...isRight ? naiveProof(one, range, show) : [naiveStateRoot(one)]];
}

/** The keys that begin with the first `bits` bits of these leaves. */
function boundsOf([leaf]: readonly Leaf[], bits: number): Range {
  const text = [...leaf?.key ?? []].map((byte) => byte.toString(2).padStart(8, "0")).join("").slice(0, bits);
  const bytesOf = (all: string): Bytes =>
    Uint8Array.from({ length: 40 }, (_, i) => Number.parseInt(all.slice(8 * i, 8 * i + 8), 2));
  return { lowest: bytesOf(text.padEnd(320, "0")), highest: bytesOf(text.padEnd(320, "1")) };
}

function meets(one: Range, other: Range): boolean {
  return compareBytes(one.lowest, other.highest) <= 0 && compareBytes(other.lowest, one.highest) <= 0;
}

function isIn(key: Bytes, range: Range): boolean {
  return meets({ lowest: key, highest: key }, range);
}

/** A whole list: all numbers under a token. */
export function wholeList(token: Bytes): Range {
  return { lowest: concat(token, new Uint8Array(8)), highest: concat(token, new Uint8Array(8).fill(255)) };
}

/** Ranges of a whole list, of a part of one, and from any key to any other. */
export const wideRanges: fc.Arbitrary<Range> = fc.oneof(
  fc.nat(4).map((token) => wholeList(sha256(Uint8Array.of(token)))),
  fc.tuple(fc.nat(4), fc.nat(12), fc.nat(12)).map(([token, from, more]) => {
    const list = sha256(Uint8Array.of(token));
    return { lowest: treeKey(list, from), highest: treeKey(list, from + more) };
  }),
  fc.tuple(keys, keys).map(([a, b]) => compareBytes(a, b) <= 0 ? { lowest: a, highest: b } : { lowest: b, highest: a }),
);

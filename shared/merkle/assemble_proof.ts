/**
 * Proofs from blocks (shared/spec/tree.md): the way to each row that is shown, the neighbours where a bound of the range is absent,
 * and everything else pruned. Pure; whoever asks has read the blocks.
 */
import { type Bytes, compareBytes, equalBytes } from "../bytes/bytes.ts";
import { fromHex } from "../bytes/encoding.ts";
import { followKey, type Grown, type GrownBlock, hashOfGrown, type WayEnd } from "./grown_block.ts";
import type { ProofNode } from "./proof_node.ts";
import { bitAt, firstDifferingBit, KEY_BYTES } from "./tree_hash.ts";

/** What a proof is to show. All keys have 40 bytes. */
export interface Shown {
  /** Keys of the rows, ascending: all that there are from `lowest` to `highest`, both included. */
  readonly rows: readonly Bytes[];
  readonly lowest: Bytes;
  readonly highest: Bytes;
  /** The keys next to the range; null where there is none, or where it is of another list than a row that is shown. */
  readonly before: Bytes | null;
  readonly after: Bytes | null;
}

/**
 * The keys of the leaves that a proof needs: the rows, and what bounds an absent end of the range, which is the leaf that shares the
 * longest beginning with it.
 */
// spec: PROOF-02
export function leavesShown({ rows, lowest, highest, before, after }: Shown): readonly Bytes[] {
  const first = rows[0] ?? after;
  const last = rows.at(-1) ?? before;
  // Between two neighbours, the first bit in which they differ says on whose side a bound is: its subtree must be opened.
  const needsBefore = before !== null && (first === null || sideOf(lowest, before, first) === 0);
  const needsAfter = after !== null && (last === null || sideOf(highest, last, after) === 1);
  return [...(needsBefore ? [before] : []), ...rows, ...(needsAfter ? [after] : [])];
}

/**
 * The same for a range without rows, of the leaves that the ways of its two bounds end at: each of them shares the longest beginning
 * with its bound that any leaf does, and often one will do for both.
 */
// spec: PROOF-02
export function leavesBeside(highest: Bytes, nearLowest: Bytes, nearHighest: Bytes): readonly Bytes[] {
  const shared = firstDifferingBit(nearLowest, 0, highest, 0);
  if (shared >= firstDifferingBit(nearHighest, 0, highest, 0)) return [nearLowest];
  return compareBytes(nearLowest, nearHighest) < 0 ? [nearLowest, nearHighest] : [nearHighest, nearLowest];
}

function sideOf(bound: Bytes, left: Bytes, right: Bytes): number {
  return bitAt(bound, 0, firstDifferingBit(left, 0, right, 0));
}

/**
 * The proof with just these leaves.
 *
 * @param root the block of the empty path, with those put under it that are on the way to each of the leaves
 * @param leaves keys from {@link leavesShown}
 * @param isRow whether the leaf of this key is one of the rows of the answer
 * @returns null when the blocks do not lead to the leaves: some are missing, or were not made of the same tree
 */
// spec: PROOF-01
export function assembleProof(
  root: GrownBlock,
  leaves: readonly Bytes[],
  isRow: (key: Bytes) => boolean,
): ProofNode[] | null {
  if (root.top === null || leaves.length === 0) return root.top === null && leaves.length === 0 ? [] : null;
  const proof: ProofNode[] = [];
  /** Shows a subtree with the leaves `from` up to `to`, at least one. */
  const show = (node: Grown, from: number, to: number): boolean => {
    if (node instanceof Uint8Array) {
      const key = leaves[from];
      if (to - from !== 1 || key === undefined || !equalBytes(node.subarray(0, KEY_BYTES), key)) return false;
      proof.push(isRow(key) ? null : node);
      return true;
    }
    if (node.bit === null) {
      const top = node.below?.top ?? null;
      return top !== null && show(top, from, to);
    }
    proof.push(node.bit);
    let middle = from;
    while (middle < to && isLeft(leaves[middle], node.bit)) middle += 1;
    return showOrPrune(node.left, from, middle) && showOrPrune(node.right, middle, to);
  };
  const showOrPrune = (node: Grown, from: number, to: number): boolean => {
    if (from < to) return show(node, from, to);
    proof.push(hashOfGrown(node));
    return true;
  };
  return show(root.top, 0, leaves.length) ? proof : null;
}

function isLeft(key: Bytes | undefined, bit: number): boolean {
  return key !== undefined && bitAt(key, 0, bit) === 0;
}

/**
 * Puts blocks under the one of the empty path.
 *
 * @param blocks in ascending order of their paths, so that each comes after the one above it
 * @returns the block of the empty path; null if it is not there
 */
export function joinBlocks(blocks: readonly GrownBlock[]): GrownBlock | null {
  const [root, ...others] = blocks;
  if (root === undefined || root.path !== "") return null;
  for (const block of others) {
    const way = followKey(root, keyOf(block.path));
    if (way !== null && "missing" in way && block.path.startsWith(way.above.path)) putBelow(way, block);
  }
  return root;
}

/** Puts a block at the end of a way. Its path must go on from that of the block above, or trees would have no end. */
export function putBelow({ above, missing }: Extract<WayEnd, { missing: unknown }>, block: GrownBlock): void {
  if (block.path.length > above.path.length) missing.below = block;
}

/** A key that begins with a path. */
function keyOf(path: string): Bytes {
  return fromHex(path.padEnd(2 * KEY_BYTES, "0"));
}

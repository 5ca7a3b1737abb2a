/**
 * Proofs from blocks (shared/spec/tree.md): the way to each row that is shown, the neighbours where a bound of the range is absent,
 * and everything else pruned. Pure; whoever asks has read the blocks.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { equalBytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import type { BlockNode } from "./block.ts";
import { LEAF_NODE_BYTES, leafOf, type ProofNode } from "./proof_node.ts";
import { bitAt, firstDifferingBit, innerHash, KEY_BYTES, leafHash } from "./tree_hash.ts";

/** A block as a tree, whose hashes are made when they are first needed, and kept. */
export interface BlockTree {
  readonly path: string;
  /** Null for the tree without leaves. */
  readonly top: Grown | null;
}

type Grown = GrownInner | Bytes;

interface GrownInner {
  readonly bit: number;
  readonly left: Grown;
  readonly right: Grown;
  hash: Bytes | null;
}

/** A block as a tree; null for nodes that are none, which no block that was checked has. */
export function growBlock(path: string, nodes: readonly BlockNode[]): BlockTree | null {
  let next = 0;
  const grow = (): Grown | null => {
    const node = nodes[next++];
    if (node === undefined) return null;
    if (typeof node !== "number") return node;
    const left = grow();
    const right = left === null ? null : grow();
    return left === null || right === null ? null : { bit: node, left, right, hash: null };
  };
  const top = grow();
  return top === null && nodes.length > 0 ? null : { path, top };
}

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

function sideOf(bound: Bytes, left: Bytes, right: Bytes): number {
  return bitAt(bound, 0, firstDifferingBit(left, 0, right, 0));
}

/**
 * The proof with just these leaves.
 *
 * @param leaves keys from {@link leavesShown}
 * @param isRow whether the leaf of this key is one of the rows of the answer
 * @param blocks in ascending order of their paths: those on the way to each of the leaves, and others as well
 * @returns null when the blocks do not lead to the leaves: they were not made of the same tree
 */
// spec: PROOF-01
export function assembleProof(
  leaves: readonly Bytes[],
  isRow: (key: Bytes) => boolean,
  blocks: readonly BlockTree[],
): ProofNode[] | null {
  const [root] = blocks;
  if (root === undefined || root.path !== "") return null;
  if (leaves.length === 0) return root.top === null ? [] : null;
  const paths = leaves.map(toHex);
  const proof: ProofNode[] = [];
  // A tree is walked in the order in which its blocks' paths stand, so the next one is always further on.
  let at = 0;
  /** Shows the block below the one of a path with `depth` digits that leads to the leaves `from` up to `to`. */
  const enter = (depth: number, from: number, to: number): boolean => {
    const [first = "", last = ""] = [paths[from], paths[to - 1]];
    for (at += 1; at < blocks.length; at++) {
      const { path = "", top = null } = blocks[at] ?? {};
      const isOnTheWay = path.length > depth && first.startsWith(path) && last.startsWith(path);
      if (isOnTheWay && top !== null) return show(top, path.length, from, to);
    }
    return false;
  };
  const show = (node: Grown, depth: number, from: number, to: number): boolean => {
    if (!(node instanceof Uint8Array)) {
      proof.push(node.bit);
      let middle = from;
      while (middle < to && isLeft(leaves[middle], node.bit)) middle += 1;
      return showOrPrune(node.left, depth, from, middle) && showOrPrune(node.right, depth, middle, to);
    }
    if (node.length !== LEAF_NODE_BYTES) return enter(depth, from, to);
    const key = leaves[from];
    if (to - from !== 1 || key === undefined || !equalBytes(node.subarray(0, KEY_BYTES), key)) return false;
    proof.push(isRow(key) ? null : node);
    return true;
  };
  const showOrPrune = (node: Grown, depth: number, from: number, to: number): boolean => {
    if (from < to) return show(node, depth, from, to);
    proof.push(hashOf(node));
    return true;
  };
  return root.top !== null && show(root.top, 0, 0, leaves.length) ? proof : null;
}

/** Where the way of a key goes from a block: to a leaf in it, or to a block below. */
export function nextOnWay({ top }: BlockTree, key: Bytes): "leaf" | "below" {
  let node = top;
  while (node !== null && !(node instanceof Uint8Array)) node = isLeft(key, node.bit) ? node.left : node.right;
  return node !== null && node.length !== LEAF_NODE_BYTES ? "below" : "leaf";
}

function isLeft(key: Bytes | undefined, bit: number): boolean {
  return key !== undefined && bitAt(key, 0, bit) === 0;
}

function hashOf(node: Grown): Bytes {
  if (!(node instanceof Uint8Array)) return node.hash ??= innerHash(node.bit, hashOf(node.left), hashOf(node.right));
  if (node.length !== LEAF_NODE_BYTES) return node;
  const { key, rowHash } = leafOf(node);
  return leafHash(key, rowHash);
}

/** The blocks of a state tree from its sorted leaves, in one pass and with no more memory than one path. */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { type Block, type BlockNode, DIGIT_BITS } from "./block.ts";
import { leafNode } from "./proof_node.ts";
import { requireAscending, type SortedRoot, type SortedRootBuilder } from "./sorted_root.ts";
import { EMPTY_ROOT, firstDifferingBit, innerHash, KEY_BITS, KEY_BYTES, leafHash, requireLeaf } from "./tree_hash.ts";

/** A finished subtree, as the block of its parent's digit sees it. */
interface Subtree {
  readonly hash: Bytes;
  /** The bit of its top; {@link KEY_BITS} for a leaf. */
  readonly bit: number;
  /** What the block of the top's digit has of it. */
  readonly nodes: readonly BlockNode[];
}

/**
 * Starts the blocks over sorted leaves; `finish` gives root and count as `createSortedRoot` does.
 *
 * @param emit is given each block once, in no order that means anything: most as soon as no further leaf can change them, and the
 * block of the empty path at the end
 */
// spec: TREE-07
export function createBlocks(emit: (block: Block) => void): SortedRootBuilder {
  // Inner nodes on the way to the last leaf, outermost first; what is missing of each is its right side.
  const open: { readonly bit: number; readonly left: Subtree }[] = [];
  const previous = new Uint8Array(KEY_BYTES);
  let last: Subtree | undefined;
  let count = 0;

  /** The nodes that stand for a finished subtree in the block of this digit; its own block goes out if that is another. */
  const nodesIn = (digit: number, { bit, hash, nodes }: Subtree): readonly BlockNode[] => {
    if (bit === KEY_BITS || digitOf(bit) === digit) return nodes;
    // All keys below it begin alike, the last one's too: it is the one that was just finished.
    emit({ path: toHex(previous).slice(0, digitOf(bit)), nodes });
    return [hash];
  };
  const closeBelow = (end: number) => {
    for (let top = open.at(-1); top !== undefined && last !== undefined && top.bit > end; top = open.at(-1)) {
      const { bit, left } = top;
      const hash = innerHash(bit, left.hash, last.hash);
      last = { hash, bit, nodes: [bit, ...left.nodes, ...nodesIn(digitOf(bit), last)] };
      open.pop();
    }
  };
  return {
    add(leaf) {
      requireLeaf(leaf);
      if (last !== undefined) {
        requireAscending(previous, leaf.key);
        const bit = firstDifferingBit(previous, 0, leaf.key, 0);
        closeBelow(bit);
        // What is left of it is seen from this digit from now on.
        open.push({ bit, left: { ...last, nodes: nodesIn(digitOf(bit), last) } });
      }
      last = { hash: leafHash(leaf.key, leaf.rowHash), bit: KEY_BITS, nodes: [leafNode(leaf)] };
      previous.set(leaf.key);
      count += 1;
    },
    finish(): SortedRoot {
      closeBelow(-1);
      emit({ path: "", nodes: last === undefined ? [] : nodesIn(0, last) });
      return { root: last?.hash ?? EMPTY_ROOT.slice(), count };
    },
  };
}

function digitOf(bit: number): number {
  return Math.floor(bit / DIGIT_BITS);
}

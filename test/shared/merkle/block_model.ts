/** Blocks as shared/spec/tree.md defines them: the whole tree first, then each node into the block of its digit. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { Block, BlockNode } from "../../../shared/merkle/block.ts";
import { createBlocks } from "../../../shared/merkle/block_builder.ts";
import { leafNode } from "../../../shared/merkle/proof_node.ts";
import { bitAt, innerHash, type Leaf, leafHash } from "../../../shared/merkle/tree_hash.ts";

/** A tree with nothing pruned. */
export type Node = { readonly leaf: Leaf } | { readonly bit: number; readonly left: Node; readonly right: Node };

/** The tree over leaves with different keys, at least one. */
function treeOf(leaves: readonly Leaf[], from = 0): Node {
  const [first] = leaves;
  if (first !== undefined && leaves.length === 1) return { leaf: first };
  for (let bit = from; bit < 320; bit++) {
    const left = leaves.filter((leaf) => bitAt(leaf.key, 0, bit) === 0);
    if (left.length === 0 || left.length === leaves.length) continue;
    const right = leaves.filter((leaf) => bitAt(leaf.key, 0, bit) === 1);
    return { bit, left: treeOf(left, bit + 1), right: treeOf(right, bit + 1) };
  }
  throw new Error("no leaf, or two with the same key");
}

/** The hash of a node. */
export function hashOf(node: Node): Bytes {
  if ("leaf" in node) return leafHash(node.leaf.key, node.leaf.rowHash);
  return innerHash(node.bit, hashOf(node.left), hashOf(node.right));
}

function keyIn(node: Node): Bytes {
  return "leaf" in node ? node.leaf.key : keyIn(node.left);
}

/** The nodes of each block, by path. */
export function naiveBlocks(leaves: readonly Leaf[]): Map<string, BlockNode[]> {
  const blocks = new Map<string, BlockNode[]>([["", []]]);
  const put = (node: Node, path: string): void => {
    const nodes = blocks.get(path) ?? [];
    blocks.set(path, nodes);
    if ("leaf" in node) {
      nodes.push(leafNode(node.leaf));
    } else if (Math.floor(node.bit / 4) === path.length) {
      nodes.push(node.bit);
      put(node.left, path);
      put(node.right, path);
    } else {
      nodes.push(hashOf(node));
      put(node, toHex(keyIn(node)).slice(0, Math.floor(node.bit / 4)));
    }
  };
  if (leaves.length > 0) put(treeOf(leaves), "");
  return blocks;
}

/** The blocks that the builder makes of sorted leaves, by path. */
export function builtBlocks(leaves: Iterable<Leaf>): Map<string, readonly BlockNode[]> {
  const blocks = new Map<string, readonly BlockNode[]>();
  const builder = createBlocks(({ path, nodes }: Block) => {
    if (blocks.has(path)) throw new Error(`the block of '${path}' came twice`);
    blocks.set(path, nodes);
  });
  for (const leaf of leaves) builder.add(leaf);
  builder.finish();
  return blocks;
}

/** Blocks put together to as much of a tree as is known, with hashes that are made when they are first needed, and kept. */
import { type Bytes } from "../bytes/bytes.ts";
import type { BlockNode } from "./block.ts";
import { LEAF_NODE_BYTES, leafOf } from "./proof_node.ts";
import { bitAt, innerHash, leafHash } from "./tree_hash.ts";

/** A block as a tree. */
export interface GrownBlock {
  readonly path: string;
  /** Null for the tree without leaves. */
  readonly top: Grown | null;
}

/** A node; a leaf is its 72 bytes. */
export type Grown = GrownInner | GrownBelow | Bytes;

/** An inner node. */
export interface GrownInner {
  readonly bit: number;
  readonly left: Grown;
  readonly right: Grown;
  hash: Bytes | null;
}

/** An inner node further down, with the block that it is the top of, once that is known. */
export interface GrownBelow {
  readonly bit: null;
  readonly hash: Bytes;
  below: GrownBlock | null;
}

/** A block as a tree; null for nodes that are none, which no block that was checked has. */
export function growBlock(path: string, nodes: readonly BlockNode[]): GrownBlock | null {
  let next = 0;
  const grow = (): Grown | null => {
    const node = nodes[next++];
    if (node === undefined) return null;
    if (typeof node !== "number") {
      return node.length === LEAF_NODE_BYTES ? node : { bit: null, hash: node, below: null };
    }
    const left = grow();
    const right = left === null ? null : grow();
    return left === null || right === null ? null : { bit: node, left, right, hash: null };
  };
  const top = grow();
  return top === null && nodes.length > 0 ? null : { path, top };
}

/** The nodes of a block that other blocks are, or will be, put below. */
export function belowsOf(block: GrownBlock): GrownBelow[] {
  const found: GrownBelow[] = [];
  const collect = (node: Grown): void => {
    if (node instanceof Uint8Array) return;
    if (node.bit === null) return void found.push(node);
    collect(node.left);
    collect(node.right);
  };
  if (block.top !== null) collect(block.top);
  return found;
}

/** Where the way of a key ends, as far as blocks are known: at a leaf, or at the block above one that is not. */
export type WayEnd = { readonly leaf: Bytes } | { readonly above: GrownBlock; readonly missing: GrownBelow };

/** Follows the bits of a key; null in the tree without leaves. */
export function followKey(root: GrownBlock, key: Uint8Array): WayEnd | null {
  let block = root;
  let node = root.top;
  while (node !== null) {
    if (node instanceof Uint8Array) return { leaf: node };
    if (node.bit !== null) {
      node = bitAt(key, 0, node.bit) === 0 ? node.left : node.right;
    } else if (node.below === null) {
      return { above: block, missing: node };
    } else {
      block = node.below;
      node = block.top;
    }
  }
  return null;
}

/** The hash of a node. */
export function hashOfGrown(node: Grown): Bytes {
  if (node instanceof Uint8Array) {
    const { key, rowHash } = leafOf(node);
    return leafHash(key, rowHash);
  }
  if (node.bit === null) return node.hash;
  return node.hash ??= innerHash(node.bit, hashOfGrown(node.left), hashOfGrown(node.right));
}

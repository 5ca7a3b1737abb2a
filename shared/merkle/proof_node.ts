/** What a pruned tree is made of: proofs and blocks alike (shared/spec/tree.md). */
import type { Bytes } from "../bytes/bytes.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { KEY_BYTES, type Leaf } from "./tree_hash.ts";

/**
 * One node of a flat array in pre-order. A number is the bit of an inner node, whose two sides follow; 32 bytes are the
 * hash of a pruned subtree; 72 bytes are a leaf, key and row hash; null, in proofs only, is the next of the rows shown.
 */
export type ProofNode = number | Bytes | null;

/** Bytes of a leaf: its key, then its row hash. */
export const LEAF_NODE_BYTES: number = KEY_BYTES + SHA256_BYTES;

/** A leaf as a node of 72 bytes. */
export function leafNode({ key, rowHash }: Leaf): Bytes {
  const node = new Uint8Array(LEAF_NODE_BYTES);
  node.set(key);
  node.set(rowHash, KEY_BYTES);
  return node;
}

/** The leaf in a node of 72 bytes; both arrays are views. */
export function leafOf(node: Bytes): Leaf {
  return { key: node.subarray(0, KEY_BYTES), rowHash: node.subarray(KEY_BYTES) };
}

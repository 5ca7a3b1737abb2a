/** The root of a state tree from its sorted leaves, in one pass and with no more memory than one path. */
import { type Bytes, compareBytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { EMPTY_ROOT, firstDifferingBit, innerHash, KEY_BYTES, type Leaf, leafHash, requireLeaf } from "./tree_hash.ts";

/** What came out: compare both with what the head states. */
export interface SortedRoot {
  readonly root: Bytes;
  readonly count: number;
}

/** Takes leaves one by one, as pages of a table arrive. */
export interface SortedRootBuilder {
  /**
   * Takes the next leaf, whose key is above all before; the caller may reuse its arrays.
   * @throws `malformed` for a key that is equal or lower, and for a leaf of other sizes.
   */
  add(leaf: Leaf): void;
  /** The root over all leaves; nothing may follow. */
  finish(): SortedRoot;
}

/** Starts a root over sorted leaves: what a device recomputes over a table that it fetches. */
// spec: TREE-04
export function createSortedRoot(): SortedRootBuilder {
  // Inner nodes on the way to the last leaf, outermost first; what is missing of each is its right side.
  const open: { readonly bit: number; readonly left: Bytes }[] = [];
  const previous = new Uint8Array(KEY_BYTES);
  let hash = EMPTY_ROOT.slice();
  let count = 0;
  const closeBelow = (bit: number) => {
    for (let last = open.at(-1); last !== undefined && last.bit > bit; last = open.at(-1)) {
      hash = innerHash(last.bit, last.left, hash);
      open.pop();
    }
  };
  return {
    add(leaf) {
      requireLeaf(leaf);
      if (count > 0) {
        requireAscending(previous, leaf.key);
        const bit = firstDifferingBit(previous, 0, leaf.key, 0);
        closeBelow(bit);
        open.push({ bit, left: hash });
      }
      hash = leafHash(leaf.key, leaf.rowHash);
      previous.set(leaf.key);
      count += 1;
    },
    finish() {
      closeBelow(-1);
      return { root: hash, count };
    },
  };
}

/** Root and number of leaves that come in ascending order; see {@link createSortedRoot}. */
export function rootOfSorted(leaves: Iterable<Leaf>): SortedRoot {
  const builder = createSortedRoot();
  for (const leaf of leaves) builder.add(leaf);
  return builder.finish();
}

/**
 * Refuses a key that does not come after the one before.
 * @throws `malformed`
 */
export function requireAscending(previous: Uint8Array, key: Uint8Array): void {
  if (compareBytes(previous, key) < 0) return;
  throw new PosternError("malformed", "the keys of a tree's leaves are not in ascending order, or one is there twice");
}

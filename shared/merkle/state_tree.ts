/**
 * The Merkle tree of a table (shared/spec/tree.md): one for the same set of leaves, in whatever order they came and
 * went. The manager keeps one for each table and changes it with every push.
 *
 * Changes only mark the nodes above them; {@link StateTree.root} hashes what is marked, so that many changes before one
 * root share the hashes near the top. Each inner node carries the bit in which its two sides differ: what lies on the
 * way of a key, with the hashes beside it, is all that a proof for that key needs.
 */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { InnerArena, LeafArena } from "./arena.ts";
import { requireAscending } from "./sorted_root.ts";
import {
  bitAt,
  EMPTY_ROOT,
  firstDifferingBit,
  innerHash,
  KEY_BITS,
  KEY_BYTES,
  type Leaf,
  requireKey,
  requireLeaf,
} from "./tree_hash.ts";

/** A link is the number of an inner node, or, below zero, the complement of the number of a leaf. */
type Link = number;

/** A set of leaves and its root. */
export class StateTree {
  readonly #leaves = new LeafArena();
  readonly #inner = new InnerArena();
  /** Meaningless while the tree is empty. */
  #top: Link = 0;
  #size = 0;
  /** Inner nodes on the way of the key last looked for, outermost first. */
  readonly #path = new Int32Array(KEY_BITS);
  #depth = 0;

  /**
   * Builds the tree of leaves that come in ascending order of their keys, in linear time.
   * @throws `malformed` for keys that are equal or out of order, and for leaves of other sizes.
   */
  static fromSorted(leaves: Iterable<Leaf>): StateTree {
    const tree = new StateTree();
    for (const leaf of leaves) tree.#append(leaf);
    tree.#closeBelow(-1);
    return tree;
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Puts a leaf in, or gives the one with its key another row hash. */
  set(leaf: Leaf): void {
    requireLeaf(leaf);
    if (this.#size === 0) {
      this.#top = ~this.#leaves.add(leaf);
      this.#size = 1;
      return;
    }
    const nearest = this.#walk(leaf.key);
    const bit = firstDifferingBit(this.#leaves.chunk(nearest), this.#leaves.keyAt(nearest), leaf.key, 0);
    if (bit === KEY_BITS) this.#replace(nearest, leaf.rowHash);
    else this.#insert(leaf, bit, nearest);
  }

  /** Takes out the leaf with this key; false if there is none. */
  delete(key: Uint8Array): boolean {
    const record = this.#find(key);
    if (record === undefined) return false;
    this.#leaves.remove(record);
    this.#size -= 1;
    if (this.#depth === 0) return true;
    const parent = this.#pathAt(this.#depth - 1);
    const sibling = this.#inner.child(parent, 1 - bitAt(key, 0, this.#inner.bit(parent)));
    this.#link(this.#depth - 1, key, sibling);
    this.#markStale(this.#depth - 1);
    this.#inner.remove(parent);
    return true;
  }

  /** The row hash of a key, copied. */
  get(key: Uint8Array): Bytes | undefined {
    const record = this.#find(key);
    return record === undefined ? undefined : this.#leaves.rowHash(record).slice();
  }

  /** The root over all leaves. */
  // spec: TREE-03
  root(): Bytes {
    return this.#size === 0 ? EMPTY_ROOT.slice() : this.#hashOf(this.#top).slice();
  }

  /** All leaves in ascending order of their keys, copied. The tree must not change meanwhile. */
  *[Symbol.iterator](): Generator<Leaf, void, undefined> {
    const waiting: Link[] = this.#size === 0 ? [] : [this.#top];
    for (let link = waiting.pop(); link !== undefined; link = waiting.pop()) {
      if (link < 0) yield this.#leaves.leaf(~link);
      else waiting.push(this.#inner.child(link, 1), this.#inner.child(link, 0));
    }
  }

  /** Follows the bits of a key to the one leaf that may have it, and keeps the way. The tree is not empty. */
  #walk(key: Uint8Array): number {
    let link = this.#top;
    this.#depth = 0;
    while (link >= 0) {
      this.#path[this.#depth++] = link;
      link = this.#inner.child(link, bitAt(key, 0, this.#inner.bit(link)));
    }
    return ~link;
  }

  #find(key: Uint8Array): number | undefined {
    requireKey(key);
    if (this.#size === 0) return undefined;
    const record = this.#walk(key);
    const bit = firstDifferingBit(this.#leaves.chunk(record), this.#leaves.keyAt(record), key, 0);
    return bit === KEY_BITS ? record : undefined;
  }

  #replace(record: number, rowHash: Uint8Array): void {
    if (equalBytes(this.#leaves.rowHash(record), rowHash)) return;
    this.#leaves.setRowHash(record, rowHash);
    this.#markStale(this.#depth);
  }

  /** Puts a leaf whose key first differs from all keys beside it in `bit`; `nearest` is the leaf the way led to. */
  #insert(leaf: Leaf, bit: number, nearest: number): void {
    let depth = 0;
    while (depth < this.#depth && this.#inner.bit(this.#pathAt(depth)) < bit) depth += 1;
    const beside = depth < this.#depth ? this.#pathAt(depth) : ~nearest;
    const added = ~this.#leaves.add(leaf);
    const isRight = bitAt(leaf.key, 0, bit) === 1;
    this.#link(depth, leaf.key, isRight ? this.#inner.add(bit, beside, added) : this.#inner.add(bit, added, beside));
    this.#markStale(depth);
    this.#size += 1;
  }

  /** Hangs `link` at this depth of the way of `key`. */
  #link(depth: number, key: Uint8Array, link: Link): void {
    if (depth === 0) {
      this.#top = link;
    } else {
      const parent = this.#pathAt(depth - 1);
      this.#inner.setChild(parent, bitAt(key, 0, this.#inner.bit(parent)), link);
    }
  }

  /** Marks the first `count` nodes of the way. Above a marked node all are marked, so it stops at the first. */
  #markStale(count: number): void {
    for (let depth = count - 1; depth >= 0; depth--) {
      const record = this.#pathAt(depth);
      if (this.#inner.isStale(record)) return;
      this.#inner.markStale(record);
    }
  }

  #pathAt(depth: number): number {
    return this.#path[depth] ?? 0;
  }

  /** Hashes what is out of date below a link. No deeper than a key has bits. */
  #hashOf(link: Link): Bytes {
    if (link < 0) return this.#leaves.hash(~link);
    if (this.#inner.isStale(link)) {
      const left = this.#hashOf(this.#inner.child(link, 0));
      const right = this.#hashOf(this.#inner.child(link, 1));
      this.#inner.setHash(link, innerHash(this.#inner.bit(link), left, right));
    }
    return this.#inner.hash(link);
  }

  /**
   * Adds a leaf behind all others. While a tree is built this way, the kept way holds the inner nodes whose right side
   * is missing, and the top is the last leaf, until the subtrees that end with it are closed.
   */
  #append(leaf: Leaf): void {
    requireLeaf(leaf);
    if (this.#size > 0) {
      const last = this.#leaves.chunk(~this.#top);
      const start = this.#leaves.keyAt(~this.#top);
      requireAscending(last.subarray(start, start + KEY_BYTES), leaf.key);
      const bit = firstDifferingBit(last, start, leaf.key, 0);
      this.#closeBelow(bit);
      this.#path[this.#depth++] = this.#inner.add(bit, this.#top, 0);
    }
    this.#top = ~this.#leaves.add(leaf);
    this.#size += 1;
  }

  #closeBelow(bit: number): void {
    while (this.#depth > 0 && this.#inner.bit(this.#pathAt(this.#depth - 1)) > bit) {
      const complete = this.#pathAt(--this.#depth);
      this.#inner.setChild(complete, 1, this.#top);
      this.#top = complete;
    }
  }
}

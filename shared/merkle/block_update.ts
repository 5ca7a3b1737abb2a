/**
 * What a few changed leaves do to the blocks of a tree, from the blocks on their ways alone: the work grows with the
 * changes, not with the tree. What comes out is what `createBlocks` would make of the new leaves.
 */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";
import { type BlockNode, DIGIT_BITS, encodeBlock, readNodes } from "./block.ts";
import { LEAF_NODE_BYTES, leafNode, leafOf } from "./proof_node.ts";
import { bitAt, EMPTY_ROOT, firstDifferingBit, innerHash, KEY_BITS, leafHash } from "./tree_hash.ts";

/** A leaf that comes or changes, or, with null, goes. */
export interface LeafChange {
  readonly key: Bytes;
  readonly rowHash: Bytes | null;
}

/** A tree as it was before the changes. */
export interface BlockSource {
  /**
   * For each key the highest bit in which it first differs from another leaf's key, be it a leaf itself or not; -1 when there is no
   * other. The neighbours in the order of keys tell.
   */
  closest(keys: readonly Bytes[]): Promise<readonly number[]>;
  /** Those blocks of these paths that there are. */
  blocks(paths: readonly string[]): Promise<ReadonlyMap<string, Bytes>>;
}

/** What became of a tree. */
export interface BlockUpdate {
  readonly root: Bytes;
  /** By how many the leaves became more. */
  readonly added: number;
  /** The blocks that differ from before, as they are stored; null for one that is no more. */
  readonly blocks: ReadonlyMap<string, Bytes | null>;
}

/** The bits in which a key first differs from those that are its neighbours in order, the highest of them; -1 without neighbours. */
export function closestBit(key: Bytes, neighbours: readonly Bytes[]): number {
  return neighbours.reduce((closest, other) => Math.max(closest, firstDifferingBit(key, 0, other, 0)), -1);
}

/** All paths on which blocks with something of this key can lie, from {@link BlockSource.closest} of the key. */
export function pathsOf(key: Bytes, closest: number): string[] {
  const digits = toHex(key);
  const longest = Math.max(0, Math.floor(closest / DIGIT_BITS));
  return Array.from({ length: longest + 1 }, (_, length) => digits.slice(0, length));
}

/**
 * Applies changes, whose keys are all different, in any order. One that takes away what is not there has no effect.
 *
 * @throws `storage` when the source does not have the tree
 */
// spec: TREE-07
export async function updateBlocks(source: BlockSource, changes: readonly LeafChange[]): Promise<BlockUpdate> {
  const closest = await source.closest(changes.map(({ key }) => key));
  const paths = new Set([""]);
  changes.forEach(({ key }, i) => pathsOf(key, closest[i] ?? -1).forEach((path) => paths.add(path)));
  const tree = new LoadedTree(await source.blocks([...paths]));
  let added = 0;
  // First what comes: as long as nothing went, `closest` holds for whatever is not loaded.
  changes.forEach(({ key, rowHash }, i) => {
    if (rowHash !== null && tree.put(key, rowHash, closest[i] ?? -1)) added += 1;
  });
  for (const { key, rowHash } of changes) if (rowHash === null && tree.remove(key)) added -= 1;
  return { ...tree.finish(), added };
}

interface LeafNode {
  readonly kind: "leaf";
  /** 72 bytes. */
  readonly node: Bytes;
}

interface InnerNode {
  readonly kind: "inner";
  readonly bit: number;
  /** Of the block that it belongs to. */
  readonly path: string;
  readonly sides: [TreeNode, TreeNode];
}

/** A subtree whose top lies in a block that is not loaded. */
interface PrunedNode {
  readonly kind: "pruned";
  readonly hash: Bytes;
}

type TreeNode = LeafNode | InnerNode | PrunedNode;

/** A place where a node stands. */
interface Slot {
  /** Null for the top of the tree. */
  readonly parent: InnerNode | null;
  readonly side: 0 | 1;
}

/** The part of a tree that changes go through. */
class LoadedTree {
  readonly #source: ReadonlyMap<string, Bytes>;
  /** Paths whose blocks are in the tree by now: no pruned subtree has its top there. */
  readonly #loaded = new Set<string>();
  #top: TreeNode | null;

  constructor(source: ReadonlyMap<string, Bytes>) {
    this.#source = source;
    this.#top = this.#load("");
  }

  /** Puts a leaf in or replaces its row hash; returns whether it is new. */
  put(key: Bytes, rowHash: Bytes, closest: number): boolean {
    const leaf: LeafNode = { kind: "leaf", node: leafNode({ key, rowHash }) };
    const end = this.#lookUp(key);
    const found = end === null ? null : this.#at(end);
    if (end === null || found === null) {
      this.#top = leaf;
      return true;
    }
    const bit = found.kind === "leaf" ? firstDifferingBit(key, 0, found.node, 0) : closest;
    if (bit === KEY_BITS) {
      this.#set(end, leaf);
      return false;
    }
    if (bit < 0) throw damaged();
    const slot = this.#slotAbove(key, bit);
    const other = this.#at(slot);
    if (other === null) throw damaged();
    const path = toHex(key).slice(0, Math.floor(bit / DIGIT_BITS));
    this.#set(slot, { kind: "inner", bit, path, sides: bitAt(key, 0, bit) === 0 ? [leaf, other] : [other, leaf] });
    return true;
  }

  /** Takes a leaf out; returns whether it was there. */
  remove(key: Bytes): boolean {
    const end = this.#lookUp(key);
    const found = end === null ? null : this.#at(end);
    if (end === null || found?.kind !== "leaf" || firstDifferingBit(key, 0, found.node, 0) !== KEY_BITS) return false;
    if (end.parent === null) {
      this.#top = null;
      return true;
    }
    const { parent, side } = end;
    this.#set(this.#slotAbove(key, parent.bit), parent.sides[side === 0 ? 1 : 0]);
    return true;
  }

  /** The root, and the blocks that differ from the source's. */
  finish(): Omit<BlockUpdate, "added"> {
    const blocks = new Map<string, Bytes | null>();
    for (const path of this.#loaded) blocks.set(path, null);
    const put = (path: string, nodes: readonly BlockNode[]) => {
      const block = encodeBlock(nodes);
      const before = this.#source.get(path);
      if (before !== undefined && equalBytes(block, before)) blocks.delete(path);
      else blocks.set(path, block);
    };
    /** Its hash, and the nodes that stand for it in the block of a path. */
    const finish = (node: TreeNode, path: string): { hash: Bytes; nodes: readonly BlockNode[] } => {
      if (node.kind === "pruned") return { hash: node.hash, nodes: [node.hash] };
      if (node.kind === "leaf") {
        const { key, rowHash } = leafOf(node.node);
        return { hash: leafHash(key, rowHash), nodes: [node.node] };
      }
      const [left, right] = [finish(node.sides[0], node.path), finish(node.sides[1], node.path)];
      const hash = innerHash(node.bit, left.hash, right.hash);
      const nodes = [node.bit, ...left.nodes, ...right.nodes];
      if (node.path === path) return { hash, nodes };
      put(node.path, nodes);
      return { hash, nodes: [hash] };
    };
    const { hash, nodes } = this.#top === null ? { hash: EMPTY_ROOT.slice(), nodes: [] } : finish(this.#top, "");
    put("", nodes);
    return { root: hash, blocks };
  }

  /** Where the bits of a key lead: to a leaf, or to a pruned subtree that the key does not belong into; null in the empty tree. */
  #lookUp(key: Bytes): Slot | null {
    if (this.#top === null) return null;
    const digits = toHex(key);
    let slot: Slot = { parent: null, side: 0 };
    while (true) {
      let node = this.#at(slot);
      if (node?.kind === "pruned") {
        const path = this.#nextPath(digits, slot.parent?.path ?? "");
        node = path === null ? null : this.#load(path);
        if (node !== null) this.#set(slot, node);
      }
      if (node === null || node.kind !== "inner") return slot;
      slot = { parent: node, side: bitAt(key, 0, node.bit) === 0 ? 0 : 1 };
    }
  }

  /** The block of a pruned subtree below a path, if the key could be in it: the next on the key's way that is not in the tree. */
  #nextPath(digits: string, above: string): string | null {
    for (let length = above.length + 1; length < digits.length; length++) {
      const path = digits.slice(0, length);
      if (this.#source.has(path) && !this.#loaded.has(path)) return path;
    }
    return null;
  }

  /** Where a key's inner node of this bit is, or has to come. Its way there is loaded. */
  #slotAbove(key: Bytes, bit: number): Slot {
    let slot: Slot = { parent: null, side: 0 };
    while (true) {
      const node = this.#at(slot);
      if (node === null || node.kind !== "inner" || node.bit >= bit) return slot;
      slot = { parent: node, side: bitAt(key, 0, node.bit) === 0 ? 0 : 1 };
    }
  }

  #at({ parent, side }: Slot): TreeNode | null {
    return parent === null ? this.#top : parent.sides[side];
  }

  #set({ parent, side }: Slot, node: TreeNode): void {
    if (parent === null) this.#top = node;
    else parent.sides[side] = node;
  }

  #load(path: string): TreeNode | null {
    const block = this.#source.get(path);
    if (block === undefined) throw damaged();
    this.#loaded.add(path);
    const nodes = readNodes(block);
    let next = 0;
    const read = (): TreeNode => {
      const node = nodes[next++];
      if (node === undefined) throw damaged();
      if (typeof node === "number") return { kind: "inner", bit: node, path, sides: [read(), read()] };
      return node.length === LEAF_NODE_BYTES ? { kind: "leaf", node } : { kind: "pruned", hash: node };
    };
    return nodes.length === 0 ? null : read();
  }
}

function damaged(): PosternError {
  return new PosternError("storage", "The kept blocks of a tree do not belong together");
}

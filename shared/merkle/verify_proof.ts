/**
 * Verifies that rows are all that a table holds in a range of keys, from a proof and the table's root
 * (shared/spec/tree.md, "Proofs for single answers"). Pure, iterative, and bounded whatever a proof says.
 *
 * The root fixes every inner node and with it the bit in which its two sides first differ. So all keys below an inner
 * node begin alike up to its bit, and one leaf below it tells how: that bounds what a pruned side can hold.
 */
import { type Bytes, compareBytes, equalBytes } from "../bytes/bytes.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LEAF_NODE_BYTES, leafOf, type ProofNode } from "./proof_node.ts";
import { bitAt, EMPTY_ROOT, innerHash, KEY_BITS, type Leaf, leafHash } from "./tree_hash.ts";

/** What an answer claims: that `rows` are all rows with keys from `lowest` to `highest`, both included. */
export interface RangeClaim {
  readonly lowest: Bytes;
  readonly highest: Bytes;
  /** Within the range, keys ascending. */
  readonly rows: readonly Leaf[];
}

/**
 * Checks a claim against the root of a table.
 *
 * @throws `tampered` when the proof is not one of these rows under this root; `withheld` when it is, and leaves room in
 * the range for what is not shown
 */
// spec: PROOF-01, PROOF-02, PROOF-03
export function verifyProof(proof: readonly ProofNode[], claim: RangeClaim, root: Bytes): void {
  if (proof.length > LIMITS.maxProofNodes) {
    throw new PosternError("tampered", `A proof has more than ${LIMITS.maxProofNodes} nodes`);
  }
  const tree = new PrunedTree(claim);
  for (const node of proof) tree.add(node);
  if (!equalBytes(tree.finish(), root)) {
    throw new PosternError("tampered", "A proof does not lead to the root that the manager signed");
  }
  if (tree.hidesSomething) {
    throw new PosternError(
      "withheld",
      "A proof leaves room for rows in the range asked for that the edge does not show",
    );
  }
}

/** A subtree that is complete: its hash, and the key of some leaf in it, null when it is pruned. */
interface Subtree {
  readonly hash: Bytes;
  readonly someKey: Bytes | null;
}

/** An inner node that is not: `left` is null until its left side is. */
interface Open {
  readonly bit: number;
  left: Subtree | null;
}

const EMPTY_TREE: Subtree = { hash: EMPTY_ROOT, someKey: null };

/** The tree of a proof, read node by node. */
class PrunedTree {
  /** Whether the range has room for what is not shown; of weight only once the root is right. */
  hidesSomething = false;
  readonly #claim: RangeClaim;
  /** From the top to where the next node goes. */
  readonly #open: Open[] = [];
  #whole: Subtree | null = null;
  #rows = 0;
  #lastKey: Bytes | null = null;

  constructor(claim: RangeClaim) {
    this.#claim = claim;
  }

  /** @throws `tampered` for a node that cannot stand where it does */
  add(node: ProofNode): void {
    if (this.#whole !== null) throw new PosternError("tampered", "A proof goes on behind its end");
    if (typeof node === "number") this.#addInner(node);
    else if (node === null) this.#complete(this.#shownRow());
    else if (node.length === SHA256_BYTES) this.#complete({ hash: node, someKey: null });
    else if (node.length === LEAF_NODE_BYTES) this.#complete(this.#foreignLeaf(leafOf(node)));
    else throw new PosternError("tampered", `A proof holds ${node.length} bytes, which are neither hash nor leaf`);
  }

  /** The root. @throws `tampered` for a proof that is not whole, or of other rows */
  finish(): Bytes {
    if (this.#open.length > 0) throw new PosternError("tampered", "A proof ends before its tree does");
    if (this.#rows < this.#claim.rows.length) throw new PosternError("tampered", "A proof is not of all rows shown");
    if (this.#whole === null) return EMPTY_TREE.hash;
    if (this.#whole.someKey === null) throw unbounded();
    return this.#whole.hash;
  }

  #addInner(bit: number): void {
    const above = this.#open.at(-1)?.bit ?? -1;
    if (!Number.isInteger(bit) || bit <= above || bit >= KEY_BITS) {
      throw new PosternError("tampered", "The bits of a proof do not rise from node to node");
    }
    this.#open.push({ bit, left: null });
  }

  #shownRow(): Subtree {
    const row = this.#claim.rows[this.#rows++];
    if (row === undefined) throw new PosternError("tampered", "A proof is of more rows than are shown");
    return this.#leaf(row);
  }

  #foreignLeaf(leaf: Leaf): Subtree {
    const { lowest, highest } = this.#claim;
    if (compareBytes(lowest, leaf.key) <= 0 && compareBytes(leaf.key, highest) <= 0) this.hidesSomething = true;
    return this.#leaf(leaf);
  }

  #leaf({ key, rowHash }: Leaf): Subtree {
    const fits = this.#open.every(({ bit, left }) => bitAt(key, 0, bit) === (left === null ? 0 : 1));
    const rises = this.#lastKey === null || compareBytes(this.#lastKey, key) < 0;
    if (!fits || !rises) throw new PosternError("tampered", "A leaf of a proof stands where its key does not belong");
    this.#lastKey = key;
    return { hash: leafHash(key, rowHash), someKey: key };
  }

  /** Hangs a complete subtree where the next node goes, and closes every inner node that is complete with it. */
  #complete(subtree: Subtree): void {
    let complete = subtree;
    for (let above = this.#open.at(-1); above !== undefined; above = this.#open.at(-1)) {
      if (above.left === null) {
        above.left = complete;
        return;
      }
      this.#open.pop();
      complete = this.#join(above.bit, above.left, complete);
    }
    this.#whole = complete;
  }

  #join(bit: number, left: Subtree, right: Subtree): Subtree {
    const someKey = left.someKey ?? right.someKey;
    if (someKey === null) throw unbounded();
    if (left.someKey === null) this.#bound(someKey, bit, 0);
    if (right.someKey === null) this.#bound(someKey, bit, 1);
    return { hash: innerHash(bit, left.hash, right.hash), someKey };
  }

  /** Compares the range with what the pruned side of an inner node can hold. */
  #bound(someKey: Bytes, bit: number, side: 0 | 1): void {
    const { lowest, highest } = this.#claim;
    const first = endOf(someKey, bit, side, 0);
    const last = endOf(someKey, bit, side, 1);
    if (compareBytes(first, highest) <= 0 && compareBytes(lowest, last) <= 0) this.hidesSomething = true;
  }
}

/** The first or the last key that begins like `key` up to `bit`, has `side` there, and nothing but `rest` behind. */
function endOf(key: Bytes, bit: number, side: 0 | 1, rest: 0 | 1): Bytes {
  const end = key.slice();
  const at = bit >> 3;
  const mask = 0x80 >> (bit & 7);
  const before = (end[at] ?? 0) & ~(2 * mask - 1);
  end[at] = before | (side === 1 ? mask : 0) | (rest === 1 ? mask - 1 : 0);
  return end.fill(rest === 1 ? 0xff : 0, at + 1);
}

function unbounded(): PosternError {
  return new PosternError("tampered", "A proof prunes both sides of a node, and so says nothing about its keys");
}

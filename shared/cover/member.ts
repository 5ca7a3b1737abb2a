/** What an instance is given of a tree when it is registered, once and for all releases (spec: COVER-04). */
import type { Bytes } from "../bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../bytes/cbor.ts";
import { type SecretKey, secretKey } from "../crypto/brand.ts";
import { Redacted, reveal } from "../crypto/redacted.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { COVER_KEY_BYTES, type Label, labelBelow, type NodeKey, stepLabel, TREE_ID_BYTES } from "./derive.ts";
import { COVER_LABELS } from "./labels.ts";
import type { CoverSecret } from "./secret.ts";
import type { Subset } from "./subsets.ts";
import { ancestorAt, depthOf, isLeaf, isWithin, leafNode, NO_NODE, sharedDepth } from "./tree.ts";

/** Keys, one behind the other. */
interface Keys {
  /** Of the nodes above the leaf, from the root down. */
  readonly nodes: Bytes;
  /** For each node above the leaf, from the root down: the labels of the siblings of those between it and the leaf, from the top down. */
  readonly labels: Bytes;
  readonly everyone: Label;
}

/** The keys of one leaf, of which two instances never have the same. */
export class MemberKeys {
  readonly tree: Bytes;
  readonly depth: number;
  readonly #leaf: number;
  readonly #keys: Redacted<Keys>;

  constructor(tree: Bytes, depth: number, leaf: number, keys: Redacted<Keys>) {
    this.tree = tree;
    this.depth = depth;
    this.#leaf = leaf;
    this.#keys = keys;
  }

  /** The publisher and this instance know it; in a log it would tell others whom a header leaves out. */
  get leaf(): number {
    return this.#leaf;
  }

  /** The node of the leaf. */
  get node(): number {
    return leafNode(this.depth, this.#leaf);
  }

  /** The key of the node above the leaf at this depth, which is less than the tree's. */
  nodeKey(depth: number): NodeKey {
    return keyAt<"CoverNodeKey">(reveal(this.#keys).nodes, depth);
  }

  /** The label of a subset; null when this leaf is not in it. */
  labelOf({ within, without }: Subset): Label | null {
    if (without === NO_NODE) return reveal(this.#keys).everyone;
    const { node, depth } = this;
    if (!isWithin(node, within) || isWithin(node, without)) return null;
    // What the leaf was left out of branches off here from its way down, into a node whose label it has.
    const branch = sharedDepth(node, without) + 1;
    const label = keyAt<"CoverLabel">(reveal(this.#keys).labels, labelIndex(depth, depthOf(within), branch));
    return labelBelow(label, ancestorAt(without, branch), without);
  }

  /** Everything, as bytes that are secret; about 18 KB for a tree of depth 32. */
  encode(): Bytes {
    const { nodes, labels, everyone } = reveal(this.#keys);
    return encodeCbor([COVER_LABELS.member, this.tree, this.depth, this.leaf, nodes, labels, everyone]);
  }
}

/** The keys of a leaf. @throws `usage` for a number that no leaf has */
export function memberKeys(secret: CoverSecret, leaf: number): MemberKeys {
  const { depth } = secret;
  const node = leafNode(depth, leaf);
  const nodes = new Uint8Array(depth * COVER_KEY_BYTES);
  const labels = new Uint8Array(labelCount(depth) * COVER_KEY_BYTES);
  for (let above = 0; above < depth; above++) {
    const top = ancestorAt(node, above);
    nodes.set(secret.nodeKey(top), above * COVER_KEY_BYTES);
    let label = secret.startLabel(top);
    for (let branch = above + 1; branch <= depth; branch++) {
      const [side, other] = ancestorAt(node, branch) % 2 === 0 ? [0, 1] as const : [1, 0] as const;
      labels.set(stepLabel(label, other), labelIndex(depth, above, branch) * COVER_KEY_BYTES);
      label = stepLabel(label, side);
    }
  }
  const keys = { nodes, labels, everyone: secret.everyoneLabel() };
  return new MemberKeys(secret.tree, depth, leaf, new Redacted(keys));
}

/** What {@link MemberKeys.encode} wrote. @throws `malformed`, `too_large` for anything else */
export function decodeMemberKeys(bytes: Uint8Array): MemberKeys {
  const value = decodeCbor(bytes, { maxBytes: LIMITS.maxCoverMemberBytes });
  if (!Array.isArray(value) || value.length !== 7 || value[0] !== COVER_LABELS.member) throw malformed("an instance's");
  const [, tree, depth, leaf, nodes, labels, everyone] = value;
  if (typeof depth !== "number" || depth < 1 || depth > LIMITS.maxCoverDepth) throw malformed("a possible depth in");
  if (typeof leaf !== "number" || !isLeaf(depth, leaf)) throw malformed("a leaf of the tree in");
  if (
    !isBytes(tree, TREE_ID_BYTES) || !isBytes(nodes, depth * COVER_KEY_BYTES) || !isBytes(everyone, COVER_KEY_BYTES) ||
    !isBytes(labels, labelCount(depth) * COVER_KEY_BYTES)
  ) throw malformed("as many keys as the depth asks for in");
  return new MemberKeys(
    tree,
    depth,
    leaf,
    new Redacted({ nodes, labels, everyone: secretKey<"CoverLabel">(everyone) }),
  );
}

/** One for each node above a leaf and each node on the way from there to the leaf. */
function labelCount(depth: number): number {
  return depth * (depth + 1) / 2;
}

/** Where the label stands that the node `above` levels below the root has for the sibling of the leaf's way at depth `branch`. */
function labelIndex(depth: number, above: number, branch: number): number {
  return above * depth - above * (above - 1) / 2 + branch - above - 1;
}

function keyAt<Name extends string>(keys: Bytes, index: number): SecretKey<Name> {
  return secretKey<Name>(keys.subarray(index * COVER_KEY_BYTES, (index + 1) * COVER_KEY_BYTES));
}

function isBytes(value: unknown, length: number): value is Bytes {
  return value instanceof Uint8Array && value.length === length;
}

function malformed(what: string): PosternError {
  return new PosternError("malformed", `expected ${what} keys of a cover, found something else`);
}

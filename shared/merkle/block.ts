/**
 * Blocks of a state tree: what lies in one hexadecimal digit of the keys below a path (shared/spec/tree.md, "Blocks").
 * A lookup with a proof reads several of them, so their decoder is one of its own: it knows the three forms that a node can have,
 * and takes an eighth of the time of the general one (measured: 1 against 8 microseconds a block).
 */
import type { Bytes } from "../bytes/bytes.ts";
import { type CborInput, encodeCbor } from "../bytes/cbor.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LEAF_NODE_BYTES, type ProofNode } from "./proof_node.ts";
import { bitAt, KEY_BITS } from "./tree_hash.ts";

/** A node of a block: the bit of an inner node, the hash of one further down, or a leaf of 72 bytes. */
export type BlockNode = Exclude<ProofNode, null>;

/** A block with the path it belongs to. */
export interface Block {
  /** Lower-case hexadecimal beginning of keys, 0 to 79 digits. */
  readonly path: string;
  /** In pre-order. */
  readonly nodes: readonly BlockNode[];
}

/** Bits in one digit of a path. */
export const DIGIT_BITS = 4;
const MAX_PATH_DIGITS = KEY_BITS / DIGIT_BITS - 1;
/** What a path is. */
export const PATH: RegExp = new RegExp(`^[0-9a-f]{0,${MAX_PATH_DIGITS}}$`);

/** Whether a text is a path. */
export function isPath(text: string): boolean {
  return PATH.test(text);
}

/** The block as it is stored and pushed: `enc(array)`. */
// spec: TREE-07
export function encodeBlock(nodes: readonly BlockNode[]): Bytes {
  return encodeCbor(nodes as readonly CborInput[]);
}

/**
 * Reads what {@link encodeBlock} wrote for this path, and nothing else. The byte strings are views.
 *
 * Everything is checked that needs no hash: a tree in pre-order, its bits in the digit after the path and rising
 * downwards, and leaves whose keys belong where they stand.
 *
 * @throws `too_large`; `malformed` for what is no block of this path, and for what is no path
 */
// spec: TREE-07
export function decodeBlock(path: string, bytes: Bytes): BlockNode[] {
  if (!isPath(path)) throw malformed("a path that is none");
  const nodes = readNodes(bytes);
  requireTree(path, nodes);
  return nodes;
}

/**
 * Reads the nodes of a block that {@link decodeBlock} has accepted before, without looking at what they say.
 * @throws `too_large`, `malformed`
 */
export function readNodes(bytes: Bytes): BlockNode[] {
  if (bytes.length > LIMITS.maxBlockBytes) {
    throw new PosternError("too_large", `a block has at most ${LIMITS.maxBlockBytes} bytes, not ${bytes.length}`);
  }
  const first = bytes[0] ?? 0;
  const isLong = first === ARRAY_OF_BYTE_COUNT;
  const count = isLong ? bytes[1] ?? 0 : first - ARRAY;
  if (count < 0 || count > LIMITS.maxBlockNodes || isLong !== count > MAX_SHORT) throw malformed("no short array");
  const nodes: BlockNode[] = [];
  let at = isLong ? 2 : 1;
  for (let i = 0; i < count; i++) {
    const head = bytes[at];
    if (head === BYTES_OF_BYTE_COUNT) {
      const length = bytes[at + 1];
      const end = at + 2 + (length ?? 0);
      if ((length !== SHA256_BYTES && length !== LEAF_NODE_BYTES) || end > bytes.length) throw malformed("other bytes");
      nodes.push(bytes.subarray(at + 2, end));
      at = end;
    } else if (head !== undefined && head <= MAX_SHORT) {
      nodes.push(head);
      at += 1;
    } else if (head === MAX_SHORT + 1) {
      nodes.push(atLeast(MAX_SHORT + 1, bytes[at + 1]));
      at += 2;
    } else if (head === MAX_SHORT + 2) {
      nodes.push(atLeast(0x100, (bytes[at + 1] ?? 0) * 0x100 + (bytes[at + 2] ?? 0)));
      at += 3;
    } else {
      throw malformed("another node");
    }
  }
  if (at !== bytes.length) throw malformed("another length");
  return nodes;
}

/** Heads of CBOR items (RFC 8949 section 3): an argument up to this stands in the head itself. */
const MAX_SHORT = 23;
const ARRAY = 0x80;
const ARRAY_OF_BYTE_COUNT = 0x98;
const BYTES_OF_BYTE_COUNT = 0x58;

/** Refuses a longer form than the number needs. */
function atLeast(min: number, value: number | undefined): number {
  if (value === undefined || value < min) throw malformed("a number not in its shortest form");
  return value;
}

function requireTree(path: string, nodes: readonly BlockNode[]): void {
  if (nodes.length < 3) {
    // The empty path's block alone may have no inner node.
    const isLone = path === "" && nodes.every((node) => typeof node !== "number") && nodes.length < 2;
    if (!isLone) throw malformed("a block without an inner node");
    return;
  }
  const first = DIGIT_BITS * path.length;
  const end = first + DIGIT_BITS;
  let next = 0;
  const walk = (above: number, sides: number): void => {
    const node = nodes[next++];
    if (node === undefined) throw malformed("a tree that is cut off");
    if (typeof node !== "number") {
      if (node.length === LEAF_NODE_BYTES) requirePlace(path, node, sides);
      return;
    }
    if (node <= above || node >= end) throw malformed("a bit outside of its place");
    // `sides` has, for each bit of the digit, whether it is decided and to which side.
    const decided = 0x10 << (node - first);
    walk(node, sides | decided);
    walk(node, sides | decided | (1 << (node - first)));
  };
  walk(first - 1, 0);
  if (next !== nodes.length) throw malformed("more nodes than its tree has");
}

function requirePlace(path: string, leaf: Bytes, sides: number): void {
  for (let digit = 0; digit < path.length; digit++) {
    const byte = leaf[digit >> 1] ?? 0;
    if (HEX[digit % 2 === 0 ? byte >> 4 : byte & 15] !== path[digit]) throw malformed("a leaf of another path");
  }
  const first = DIGIT_BITS * path.length;
  for (let i = 0; i < DIGIT_BITS; i++) {
    const isDecided = (sides & (0x10 << i)) !== 0;
    if (isDecided && bitAt(leaf, 0, first + i) !== ((sides >> i) & 1)) throw malformed("a leaf on the wrong side");
  }
}

const HEX = "0123456789abcdef";

function malformed(found: string): PosternError {
  return new PosternError("malformed", `expected a block of a tree, found ${found}`);
}

/**
 * The history tree: the Merkle tree of RFC 6962 (and RFC 9162, section 2.1) over the hashes of all heads, so that a
 * device which returns after a year checks that nothing was rewritten with one short proof.
 *
 * It only grows. To append and to know the root takes no more than its frontier, the roots of the perfect subtrees it
 * consists of: 20 hashes for a million generations.
 */
import { type Bytes, EMPTY } from "../bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../bytes/cbor.ts";
import { sha256, SHA256_BYTES } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";

/** How many leaves there are, and the roots of its perfect subtrees from the largest, leftmost, to the smallest. */
export interface History {
  readonly size: number;
  readonly frontier: readonly Bytes[];
}

/** The root of the perfect subtree over the leaves from `index * 2^level` up to, not including, `(index + 1) * 2^level`. */
export interface HistoryNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Bytes;
}

/** The highest level that a tree of at most 2^53 - 1 leaves can have. */
export const MAX_HISTORY_LEVEL = 52;

/** The tree of no leaves. */
export const EMPTY_HISTORY: History = { size: 0, frontier: [] };

/** Tells a leaf from an inner node, so that neither can be passed off as the other (RFC 9162, section 2.1.1). */
const LEAF = 0x00;
const INNER = 0x01;

/** Hash of a leaf: `SHA-256(0x00 || data)`. */
export function historyLeafHash(data: Uint8Array): Bytes {
  const input = new Uint8Array(1 + data.length);
  input[0] = LEAF;
  input.set(data, 1);
  return sha256(input);
}

/** Hash of an inner node: `SHA-256(0x01 || left || right)`. */
export function historyInnerHash(left: Uint8Array, right: Uint8Array): Bytes {
  const input = new Uint8Array(1 + left.length + right.length);
  input[0] = INNER;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return sha256(input);
}

/**
 * Appends one leaf. `nodes` are the subtrees that are perfect from now on and never change again, the leaf itself first:
 * whoever keeps them all (two hashes a leaf) can prove anything about the tree with a few look-ups.
 */
// spec: TREE-06
export function appendToHistory(history: History, data: Uint8Array): { history: History; nodes: HistoryNode[] } {
  const frontier = [...history.frontier];
  let hash = historyLeafHash(data);
  const nodes: HistoryNode[] = [{ level: 0, index: history.size, hash }];
  let level = 0;
  let index = history.size;
  for (; index % 2 === 1; index = (index - 1) / 2) {
    const left = frontier.pop();
    if (left === undefined) throw new PosternError("usage", "a history's frontier does not fit its size");
    hash = historyInnerHash(left, hash);
    level += 1;
    nodes.push({ level, index: (index - 1) / 2, hash });
  }
  return { history: { size: history.size + 1, frontier: [...frontier, hash] }, nodes };
}

/** The root; of no leaves `SHA-256("")`. */
export function historyRoot(history: History): Bytes {
  const last = history.frontier.at(-1);
  if (last === undefined) return sha256(EMPTY);
  return history.frontier.slice(0, -1).reduceRight((root, left) => historyInnerHash(left, root), last);
}

/** The history as bytes, for keeping: `enc([size, [hash…]])`. */
export function encodeHistory(history: History): Bytes {
  return encodeCbor([history.size, history.frontier]);
}

/**
 * Reads what {@link encodeHistory} wrote.
 * @throws `malformed` for anything else, also when the number of hashes does not fit the size.
 */
export function decodeHistory(bytes: Uint8Array): History {
  const value = decodeCbor(bytes);
  if (Array.isArray(value) && value.length === 2) {
    const [size, frontier] = value;
    if (typeof size === "number" && size >= 0 && Array.isArray(frontier) && frontier.length === countOnes(size)) {
      const hashes = frontier.filter((one) => one instanceof Uint8Array && one.length === SHA256_BYTES);
      if (hashes.length === frontier.length) return { size, frontier: hashes as Bytes[] };
    }
  }
  throw new PosternError(
    "malformed",
    "a kept history is not [size, hashes], with one hash for each bit set in its size",
  );
}

function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

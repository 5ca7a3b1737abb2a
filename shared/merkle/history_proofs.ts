/** Proofs about the history tree: that a head is in it, and that it only grew (RFC 9162, sections 2.1.3 and 2.1.4). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { historyInnerHash } from "./history.ts";

/** Looks up the root of a perfect subtree, as `appendToHistory` handed it out. */
export type ReadHistoryNode = (level: number, index: number) => Bytes;

/**
 * The path from leaf `index` (from 0) to the root of the first `size` leaves, lowest sibling first.
 * @throws `usage` unless `index < size`.
 */
export function proveInclusion(index: number, size: number, read: ReadHistoryNode): Bytes[] {
  if (!isIndex(index) || !isIndex(size) || index >= size) {
    throw new PosternError("usage", `leaf ${index} is not among the first ${size}`);
  }
  return pathOf(index, 0, size, read);
}

function pathOf(index: number, start: number, size: number, read: ReadHistoryNode): Bytes[] {
  if (size === 1) return [];
  const left = splitOf(size);
  return index - start < left
    ? [...pathOf(index, start, left, read), rootOf(start + left, size - left, read)]
    : [...pathOf(index, start + left, size - left, read), rootOf(start, left, read)];
}

/**
 * What leads from the root of the first `from` leaves to the root of the first `to`. Empty when `from` is 0 or `to`:
 * everything continues the empty tree, and a tree itself.
 * @throws `usage` unless `from <= to`.
 */
export function proveConsistency(from: number, to: number, read: ReadHistoryNode): Bytes[] {
  if (!isIndex(from) || !isIndex(to) || from > to) {
    throw new PosternError("usage", `${to} leaves cannot continue ${from}`);
  }
  return from === 0 ? [] : subproofOf(from, 0, to, true, read);
}

/** SUBPROOF of RFC 9162, section 2.1.4.1; `isOld` while the subtree's root is the old root, which the verifier has. */
function subproofOf(from: number, start: number, size: number, isOld: boolean, read: ReadHistoryNode): Bytes[] {
  if (from === size) return isOld ? [] : [rootOf(start, size, read)];
  const left = splitOf(size);
  return from <= left
    ? [...subproofOf(from, start, left, isOld, read), rootOf(start + left, size - left, read)]
    : [...subproofOf(from - left, start + left, size - left, false, read), rootOf(start, left, read)];
}

/** Root over `size` leaves from `start` on, which a split by powers of two has made a multiple of them. */
function rootOf(start: number, size: number, read: ReadHistoryNode): Bytes {
  const level = Math.log2(size);
  if (Number.isInteger(level) && 2 ** level === size) return read(level, start / size);
  const left = splitOf(size);
  return historyInnerHash(rootOf(start, left, read), rootOf(start + left, size - left, read));
}

/** The largest power of two below `size`, which is at least 2. */
function splitOf(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

/**
 * Checks that the leaf with this hash stands at `index` among the first `size` leaves under `root`.
 * @throws `tampered` when it does not.
 */
// spec: TREE-06
export function verifyInclusion(
  claim: { readonly index: number; readonly size: number; readonly leafHash: Bytes; readonly root: Bytes },
  proof: readonly Bytes[],
): void {
  const { index, size, leafHash, root } = claim;
  if (!isIndex(index) || !isIndex(size) || index >= size) throw notIncluded(claim);
  let position = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) throw notIncluded(claim);
    if (position % 2 === 1 || position === last) {
      hash = historyInnerHash(sibling, hash);
      while (position % 2 === 0 && position !== 0) [position, last] = [halve(position), halve(last)];
    } else {
      hash = historyInnerHash(hash, sibling);
    }
    [position, last] = [halve(position), halve(last)];
  }
  if (last !== 0 || !equalBytes(hash, root)) throw notIncluded(claim);
}

/** A tree as a head states it. */
export interface HistoryHead {
  readonly size: number;
  readonly root: Bytes;
}

/**
 * Checks that the newer tree continues the older one: nothing was changed, left out or put in between.
 * @throws `tampered` when the proof does not show it.
 */
// spec: TREE-06
export function verifyConsistency(older: HistoryHead, newer: HistoryHead, proof: readonly Bytes[]): void {
  if (!isIndex(older.size) || !isIndex(newer.size) || older.size > newer.size) throw notContinued(older, newer);
  if (older.size === 0 || older.size === newer.size) {
    const isSame = older.size === 0 || equalBytes(older.root, newer.root);
    if (proof.length > 0 || !isSame) throw notContinued(older, newer);
    return;
  }
  let position = older.size - 1;
  let last = newer.size - 1;
  while (position % 2 === 1) [position, last] = [halve(position), halve(last)];
  // A perfect older tree is its own subtree in the newer one, and its root is not repeated in the proof.
  const [first, ...rest] = position === 0 ? [older.root, ...proof] : proof;
  if (first === undefined) throw notContinued(older, newer);
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) throw notContinued(older, newer);
    if (position % 2 === 1 || position === last) {
      oldHash = historyInnerHash(sibling, oldHash);
      newHash = historyInnerHash(sibling, newHash);
      while (position % 2 === 0 && position !== 0) [position, last] = [halve(position), halve(last)];
    } else {
      newHash = historyInnerHash(newHash, sibling);
    }
    [position, last] = [halve(position), halve(last)];
  }
  const isContinued = last === 0 && equalBytes(oldHash, older.root) && equalBytes(newHash, newer.root);
  if (!isContinued) throw notContinued(older, newer);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Sizes may pass 2^31, so no shifts. */
function halve(value: number): number {
  return Math.floor(value / 2);
}

function notIncluded(claim: { readonly index: number; readonly size: number }): PosternError {
  return new PosternError("tampered", `the proof does not show the leaf at ${claim.index} of ${claim.size}`);
}

function notContinued(older: HistoryHead, newer: HistoryHead): PosternError {
  return new PosternError("tampered", `the proof does not show that ${newer.size} heads continue ${older.size}`);
}

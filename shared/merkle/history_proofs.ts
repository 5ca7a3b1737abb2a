/** Proofs that a head is in the history tree (RFC 9162, section 2.1.3). */
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

/** The subset difference method of Naor, Naor and Lotspiech, "Revocation and Tracing Schemes for Stateless Receivers" (2001). */
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { ancestorAt, leafNode, NO_NODE, ROOT, sharedDepth } from "./tree.ts";

/** The leaves below `within` that are not below `without`; all of them where that is {@link NO_NODE}, which only the root has. */
export interface Subset {
  readonly within: number;
  readonly without: number;
}

/** More than so many revoked leaves need more entries than a header may have. */
export const MAX_REVOKED = LIMITS.maxCoverEntries / 2;

/**
 * Subsets that share no leaf and together hold every leaf but the revoked ones: at most 2r - 1 for r of them, one where there are none
 * (spec: COVER-05).
 *
 * @param revoked numbers of leaves, in any order; one that comes twice counts once
 * @throws `usage` for a number that no leaf has; `too_large` for more than {@link MAX_REVOKED}
 */
export function coverOf(revoked: Iterable<number>, depth: number): Subset[] {
  return coverOfNodes(revokedNodes(revoked, depth));
}

/** {@link coverOf} of what {@link revokedNodes} gave. */
export function coverOfNodes(leaves: readonly number[]): Subset[] {
  if (leaves.length === 0) return [{ within: ROOT, without: NO_NODE }];
  const subsets: Subset[] = [];
  collect(leaves, 0, leaves.length, ROOT, subsets);
  return subsets;
}

/** The nodes of revoked leaves, each once, in ascending order. */
export function revokedNodes(revoked: Iterable<number>, depth: number): number[] {
  const nodes = new Set<number>();
  for (const leaf of revoked) {
    nodes.add(leafNode(depth, leaf));
    if (nodes.size > MAX_REVOKED) {
      throw new PosternError(
        "too_large",
        `A cover leaves out at most ${MAX_REVOKED} instances: give the others keys of a new tree`,
      );
    }
  }
  return [...nodes].sort((a, b) => a - b);
}

/** Covers what lies below `top` but the leaves from `first` up to `end`, all of which do. As deep as the tree, not as there are leaves. */
function collect(leaves: readonly number[], first: number, end: number, top: number, into: Subset[]): void {
  const [lowest = NO_NODE, highest = NO_NODE] = [leaves[first], leaves[end - 1]];
  const depth = sharedDepth(lowest, highest);
  const meeting = ancestorAt(lowest, depth);
  if (meeting !== top) into.push({ within: top, without: meeting });
  if (end - first < 2) return;
  const right = 2 * meeting + 1;
  const middle = firstBelow(leaves, first, end, right, depth + 1);
  collect(leaves, first, middle, right - 1, into);
  collect(leaves, middle, end, right, into);
}

/** Where, between two places of ascending leaves, those begin that lie below a right child. */
function firstBelow(leaves: readonly number[], first: number, end: number, right: number, depth: number): number {
  let [low, high] = [first, end];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ancestorAt(leaves[middle] ?? NO_NODE, depth) < right) low = middle + 1;
    else high = middle;
  }
  return low;
}

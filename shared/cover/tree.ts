/**
 * The complete binary tree whose leaves are instances, assigned or not (spec: COVER-01). A node is a number: the root is 1, the children
 * of `v` are `2v` and `2v + 1`, leaf `n` of a tree of depth `d` is `2^d + n`. Numbers reach 2^33, so there is no arithmetic in 32 bits
 * here, but for leaves.
 */
import type { RandomBytes } from "../crypto/random.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Levels below the root, if nothing else is said: 2^32 leaves. */
export const DEFAULT_COVER_DEPTH = 32;

export const ROOT = 1;

/** The node that is none: nobody is left out. */
export const NO_NODE = 0;

const BITS = 32;

/** @throws `unsupported` unless a tree can be that deep */
export function checkDepth(depth: number): void {
  if (!Number.isInteger(depth) || depth < 1 || depth > LIMITS.maxCoverDepth) {
    throw new PosternError("unsupported", `A cover has a depth of 1 to ${LIMITS.maxCoverDepth}, not ${depth}`);
  }
}

/** How many leaves a tree of that depth has. */
export function leafCount(depth: number): number {
  return 2 ** depth;
}

/** The node of a leaf. @throws `usage` for a number that no leaf of such a tree has */
export function leafNode(depth: number, leaf: number): number {
  checkDepth(depth);
  if (!isLeaf(depth, leaf)) {
    throw new PosternError("usage", `A tree of depth ${depth} has leaves 0 to ${leafCount(depth) - 1}, not ${leaf}`);
  }
  return leafCount(depth) + leaf;
}

/** Whether a leaf of such a tree has that number. */
export function isLeaf(depth: number, leaf: number): boolean {
  return Number.isInteger(leaf) && leaf >= 0 && leaf < leafCount(depth);
}

/** Levels between the root and the node. */
export function depthOf(node: number): number {
  return node < 2 ** BITS ? BITS - 1 - Math.clz32(node) : BITS + depthOf(Math.floor(node / 2 ** BITS));
}

/** The node on the way from the root to `node`, or itself, that lies `depth` levels below the root. */
export function ancestorAt(node: number, depth: number): number {
  return Math.floor(node / 2 ** (depthOf(node) - depth));
}

/** Whether `node` is `above` or lies below it. */
export function isWithin(node: number, above: number): boolean {
  const depth = depthOf(above);
  return depthOf(node) >= depth && ancestorAt(node, depth) === above;
}

/** How deep the lowest node is that both have above them, or are. */
export function sharedDepth(a: number, b: number): number {
  let depth = Math.min(depthOf(a), depthOf(b));
  while (ancestorAt(a, depth) !== ancestorAt(b, depth)) depth--;
  return depth;
}

/** A leaf drawn evenly from all of them. The registry keeps from giving one out a second time (spec: COVER-02). */
export function randomLeaf(depth: number, random: RandomBytes): number {
  checkDepth(depth);
  const [a = 0, b = 0, c = 0, d = 0] = random(BITS / 8);
  // The number of leaves is a power of two, so the remainder is even.
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % leafCount(depth);
}

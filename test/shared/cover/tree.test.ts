import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import {
  ancestorAt,
  checkDepth,
  depthOf,
  isWithin,
  leafCount,
  leafNode,
  randomLeaf,
  sharedDepth,
} from "../../../shared/cover/tree.ts";

/** A node and how deep the tree is that it is taken from. */
const nodes = fc.integer({ min: 0, max: 32 }).chain((depth) =>
  fc.nat(2 ** depth - 1).map((index) => ({ depth, node: 2 ** depth + index }))
);

/** The way from the root, by halving in whole numbers of any size. */
function wayTo(node: number): number[] {
  const way: bigint[] = [];
  for (let at = BigInt(node); at > 0n; at /= 2n) way.unshift(at);
  return way.map(Number);
}

Deno.test("COVER-01 depths, ancestors and meeting points agree with the ways from the root, up to 2^32 leaves", () => {
  fc.assert(fc.property(nodes, nodes, (a, b) => {
    const [wayA, wayB] = [wayTo(a.node), wayTo(b.node)];
    assertEquals(depthOf(a.node), a.depth);
    for (const [depth, node] of wayA.entries()) assertEquals(ancestorAt(a.node, depth), node);
    assertEquals(isWithin(a.node, b.node), wayA.includes(b.node));
    assertEquals(sharedDepth(a.node, b.node), wayA.filter((node) => wayB.includes(node)).length - 1);
  }));
});

Deno.test("COVER-01 a depth outside of 1 to 32 is unsupported, a leaf outside of the tree wrong use", () => {
  for (const depth of [0, -1, 33, 1.5, NaN, Infinity]) assertThrows(() => checkDepth(depth), "unsupported");
  for (const leaf of [-1, 8, 0.5, NaN]) assertThrows(() => leafNode(3, leaf), "usage");
  assertEquals(leafNode(32, leafCount(32) - 1), 2 ** 33 - 1);
});

Deno.test("COVER-02 randomLeaf() draws all leaves of a small tree, and from all of a large one", () => {
  const drawn = new Set(Array.from({ length: 400 }, () => randomLeaf(3, webCryptoRandom)));
  assertEquals(drawn.size, 8);
  const highest = randomLeaf(32, (length) => new Uint8Array(length).fill(0xff));
  assertEquals(highest, 2 ** 32 - 1);
  assert(randomLeaf(32, (length) => new Uint8Array(length)) === 0);
});

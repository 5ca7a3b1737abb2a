import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { coverOf, MAX_REVOKED, type Subset } from "../../../shared/cover/subsets.ts";
import { isWithin, leafNode, NO_NODE, ROOT } from "../../../shared/cover/tree.ts";

function leavesIn({ within, without }: Subset, depth: number): number[] {
  return Array.from({ length: 2 ** depth }, (_, leaf) => leaf).filter((leaf) => {
    const node = leafNode(depth, leaf);
    return isWithin(node, within) && (without === NO_NODE || !isWithin(node, without));
  });
}

/** Every leaf but the revoked ones lies in exactly one subset, a revoked one in none. */
function checkCover(revoked: readonly number[], depth: number): Subset[] {
  const cover = coverOf(revoked, depth);
  const covered = cover.flatMap((subset) => leavesIn(subset, depth)).sort((a, b) => a - b);
  const expected = Array.from({ length: 2 ** depth }, (_, leaf) => leaf).filter((leaf) => !revoked.includes(leaf));
  assertEquals(covered, expected, `depth ${depth}, revoked ${revoked}`);
  assertEquals(new Set(cover.map(({ within }) => within)).size, cover.length, "a node has at most one entry");
  assert(cover.length <= Math.max(1, 2 * new Set(revoked).size - 1), `${cover.length} subsets for ${revoked}`);
  return cover;
}

Deno.test("COVER-05 coverOf() holds exactly the leaves that are not revoked, for every set of them up to depth 3", () => {
  for (let depth = 1; depth <= 3; depth++) {
    for (let set = 0; set < 2 ** 2 ** depth; set++) {
      checkCover(Array.from({ length: 2 ** depth }, (_, leaf) => leaf).filter((leaf) => set & 2 ** leaf), depth);
    }
  }
});

Deno.test("COVER-05 coverOf() holds exactly the leaves that are not revoked, for any set in any order", () => {
  const sets = fc.integer({ min: 4, max: 8 }).chain((depth) =>
    fc.record({ depth: fc.constant(depth), revoked: fc.array(fc.nat(2 ** depth - 1), { maxLength: 40 }) })
  );
  fc.assert(fc.property(sets, ({ depth, revoked }) => void checkCover(revoked, depth)));
});

Deno.test("COVER-05 coverOf() of nobody is everyone, of all nobody, of one everyone but that one, of neighbours one", () => {
  assertEquals(coverOf([], 32), [{ within: ROOT, without: NO_NODE }]);
  assertEquals(coverOf(Array.from({ length: 64 }, (_, leaf) => leaf), 6), []);
  assertEquals(coverOf([7], 32), [{ within: ROOT, without: 2 ** 32 + 7 }]);
  assertEquals(coverOf([6, 7], 32), [{ within: ROOT, without: 2 ** 31 + 3 }]);
  assertEquals(coverOf([2 ** 32 - 1, 0], 32), [
    { within: 2, without: 2 ** 32 },
    { within: 3, without: 2 ** 33 - 1 },
  ]);
});

Deno.test("COVER-05 coverOf() needs up to 2r - 1 subsets, which far apart revocations in pairs reach", () => {
  // Leaves 0 and 2 of every eight: a subset for each of both, and one beside each pair.
  const revoked = Array.from({ length: 16 }, (_, pair) => [8 * pair, 8 * pair + 2]).flat();
  assertEquals(checkCover(revoked, 7).length, 16 * 3);
  assertEquals(checkCover([0, 2], 4).length, 2 * 2 - 1);
});

Deno.test("COVER-05 coverOf() refuses a leaf that is none, and more revoked ones than a header can leave out", () => {
  assertThrows(() => coverOf([16], 4), "usage");
  const first = (length: number) => Array.from({ length }, (_, leaf) => leaf);
  assertEquals(coverOf(first(MAX_REVOKED), 32).length, 1);
  assertThrows(() => coverOf(first(MAX_REVOKED + 1), 32), "too_large");
});

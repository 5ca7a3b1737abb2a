import fc from "fast-check";
import { type Bytes, compareBytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { rootOfSorted } from "../../../shared/merkle/sorted_root.ts";
import { StateTree } from "../../../shared/merkle/state_tree.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { keys, leafSets, naiveStateRoot, rowHashes, sorted, tableLeaves } from "./state_tree_model.ts";

function insertAll(leaves: Iterable<Leaf>): StateTree {
  const tree = new StateTree();
  for (const leaf of leaves) tree.set(leaf);
  return tree;
}

Deno.test("TREE-01, TREE-02, TREE-03: root() agrees with the recursive definition, inserted, built and streamed", () => {
  fc.assert(fc.property(leafSets, (leaves) => {
    const expected = naiveStateRoot(leaves);
    assertEquals(insertAll(leaves).root(), expected);
    assertEquals(StateTree.fromSorted(sorted(leaves)).root(), expected);
    assertEquals(rootOfSorted(sorted(leaves)), { root: expected, count: leaves.length });
  }));
});

Deno.test("TREE-02: root() is the same in whatever order leaves came and went", () => {
  const twoOrders = leafSets.chain((leaves) =>
    fc.tuple(
      fc.constant(leaves),
      fc.shuffledSubarray(leaves, { minLength: leaves.length }),
      fc.array(fc.record({ key: keys, rowHash: rowHashes }), { maxLength: 20 }),
    )
  );
  fc.assert(fc.property(twoOrders, ([leaves, shuffled, passing]) => {
    const wanted = new Set(leaves.map((leaf) => toHex(leaf.key)));
    const tree = insertAll(passing);
    for (const leaf of shuffled) tree.set(leaf);
    for (const { key } of passing) if (!wanted.has(toHex(key))) tree.delete(key);
    assertEquals(tree.root(), naiveStateRoot(leaves));
    assertEquals(tree.size, leaves.length);
  }));
});

/** One step against the tree and a plain map. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("set" as const), key: keys, rowHash: rowHashes }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), key: keys }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("root" as const) }) },
);

Deno.test("set(), delete(), get(), size, root() and iteration do what a map does, in any order of steps", () => {
  fc.assert(
    fc.property(leafSets, fc.array(step, { maxLength: 80 }), (initial, steps) => {
      const model = new Map<string, Leaf>(initial.map((leaf) => [toHex(leaf.key), leaf]));
      const tree = StateTree.fromSorted(sorted(initial));
      for (const one of steps) {
        if (one.kind === "set") {
          tree.set({ key: one.key, rowHash: one.rowHash });
          model.set(toHex(one.key), { key: one.key, rowHash: one.rowHash });
        } else if (one.kind === "delete") {
          assertEquals(tree.delete(one.key), model.delete(toHex(one.key)));
        } else if (one.kind === "get") {
          assertEquals(tree.get(one.key), model.get(toHex(one.key))?.rowHash);
        } else {
          assertEquals(tree.root(), naiveStateRoot([...model.values()]));
        }
        assertEquals(tree.size, model.size);
      }
      assertEquals([...tree], sorted([...model.values()]));
      assertEquals(tree.root(), naiveStateRoot([...model.values()]));
    }),
    { numRuns: 300 },
  );
});

Deno.test("TREE-02: root() changes with every key, every row hash and every leaf", () => {
  const leaves = tableLeaves(30);
  const roots = new Set([toHex(insertAll(leaves).root())]);
  for (const [i, leaf] of leaves.entries()) {
    roots.add(toHex(insertAll(leaves.toSpliced(i, 1)).root()));
    roots.add(toHex(insertAll(leaves.with(i, { ...leaf, rowHash: sha256(leaf.rowHash) })).root()));
    roots.add(toHex(insertAll(leaves.with(i, { ...leaf, key: treeKey(sha256(leaf.key), 0) })).root()));
  }
  assertEquals(roots.size, 1 + 3 * 30);
});

Deno.test("TREE-03: root() of an empty tree is SHA-256(0x02), also after the last leaf went", () => {
  const expected = "dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986";
  assertEquals(toHex(new StateTree().root()), expected);
  const [leaf] = tableLeaves(1);
  assert(leaf);
  const tree = insertAll([leaf]);
  assertEquals([tree.delete(leaf.key), tree.delete(leaf.key), tree.size], [true, false, 0]);
  assertEquals(toHex(tree.root()), expected);
  tree.set(leaf);
  assertEquals(tree.root(), naiveStateRoot([leaf]));
});

Deno.test("a tree of several chunks agrees with itself built, inserted, emptied and filled again", () => {
  const leaves = tableLeaves(5_000);
  const tree = StateTree.fromSorted(leaves);
  const root = tree.root();
  assertEquals(insertAll(leaves.toReversed()).root(), root);
  const odd = leaves.filter((_, i) => i % 2 === 1);
  for (const { key } of odd) tree.delete(key);
  assertEquals(tree.root(), rootOfSorted(leaves.filter((_, i) => i % 2 === 0)).root);
  for (const leaf of odd) tree.set(leaf);
  assertEquals(tree.root(), root);
  assertEquals([...tree], leaves);
});

Deno.test("what comes out of a tree is the caller's own, and what went in may be reused", () => {
  const leaves = tableLeaves(3);
  const key = new Uint8Array(40);
  const rowHash = new Uint8Array(32);
  const tree = new StateTree();
  for (const leaf of leaves) {
    key.set(leaf.key);
    rowHash.set(leaf.rowHash);
    tree.set({ key, rowHash });
  }
  const root = tree.root();
  const spoil = (bytes: Bytes | undefined) => bytes?.fill(0);
  spoil(tree.root());
  spoil(tree.get(leaves[0]?.key ?? key));
  for (const leaf of tree) {
    spoil(leaf.key);
    spoil(leaf.rowHash);
  }
  spoil(new StateTree().root());
  assertEquals(tree.root(), root);
  assertEquals([...tree], leaves);
  assertEquals(new StateTree().root(), naiveStateRoot([]));
});

Deno.test("fromSorted() and rootOfSorted() throw malformed when keys are out of order or there twice", () => {
  const leaves = tableLeaves(12);
  for (let i = 1; i < leaves.length; i++) {
    const [before, here] = [leaves[i - 1], leaves[i]];
    assert(before && here && compareBytes(before.key, here.key) < 0);
    for (const bad of [leaves.with(i, before), leaves.with(i - 1, here), leaves.with(i, before).with(i - 1, here)]) {
      assertThrows(() => StateTree.fromSorted(bad), "malformed");
      assertThrows(() => rootOfSorted(bad), "malformed");
    }
  }
});

Deno.test("every way in throws malformed for keys and row hashes of other lengths", () => {
  const good = { key: new Uint8Array(40), rowHash: new Uint8Array(32) };
  for (const length of [0, 31, 32, 33, 39, 41]) {
    const bad = [{ ...good, key: new Uint8Array(length) }];
    if (length !== 32) bad.push({ ...good, rowHash: new Uint8Array(length) });
    for (const leaf of bad) {
      assertThrows(() => new StateTree().set(leaf), "malformed");
      assertThrows(() => StateTree.fromSorted([leaf]), "malformed");
      assertThrows(() => rootOfSorted([leaf]), "malformed");
    }
    assertThrows(() => new StateTree().get(new Uint8Array(length)), "malformed");
    assertThrows(() => new StateTree().delete(new Uint8Array(length)), "malformed");
  }
});

Deno.test("treeKey() puts token and number together, and throws malformed for what is neither", () => {
  const token = sha256(new Uint8Array(1));
  assertEquals(toHex(treeKey(token, 2 ** 40 + 1)), `${toHex(token)}0000010000000001`);
  assertEquals(toHex(treeKey(token, Number.MAX_SAFE_INTEGER)).slice(64), "001fffffffffffff");
  for (const number of [-1, 0.5, NaN, 2 ** 53]) assertThrows(() => treeKey(token, number), "malformed");
  assertThrows(() => treeKey(token.subarray(1), 0), "malformed");
});

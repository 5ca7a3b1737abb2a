import fc from "fast-check";
import { createBlocks } from "../../../shared/merkle/block_builder.ts";
import { decodeBlock, encodeBlock } from "../../../shared/merkle/block.ts";
import { StateTree } from "../../../shared/merkle/state_tree.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { builtBlocks, naiveBlocks } from "./block_model.ts";
import { leafSets, sorted, tableLeaves } from "./state_tree_model.ts";

Deno.test("TREE-07: createBlocks() gives each block of the tree once, and no other", () => {
  fc.assert(fc.property(leafSets, (leaves) => {
    const built = builtBlocks(sorted(leaves));
    assertEquals(new Map([...built].toSorted()), new Map([...naiveBlocks(leaves)].toSorted()));
  }));
});

Deno.test("createBlocks() gives the root and the number of leaves that the tree has", () => {
  fc.assert(fc.property(leafSets, (leaves) => {
    const builder = createBlocks(() => {});
    for (const leaf of sorted(leaves)) builder.add(leaf);
    assertEquals(builder.finish(), { root: StateTree.fromSorted(sorted(leaves)).root(), count: leaves.length });
  }));
});

Deno.test("createBlocks() makes blocks within the limits, which decodeBlock() reads", () => {
  let largest = 0;
  for (const [path, nodes] of builtBlocks(tableLeaves(3_000))) {
    const bytes = encodeBlock(nodes);
    assertEquals(decodeBlock(path, bytes), [...nodes]);
    largest = Math.max(largest, bytes.length);
  }
  assert(largest <= LIMITS.maxBlockBytes);
});

Deno.test("createBlocks() takes leaves whose arrays are written over, and none out of order", () => {
  const leaves = tableLeaves(40);
  const expected = builtBlocks(leaves);
  const [key, rowHash] = [new Uint8Array(40), new Uint8Array(32)];
  function* reused() {
    for (const leaf of leaves) {
      key.set(leaf.key);
      rowHash.set(leaf.rowHash);
      yield { key, rowHash };
    }
  }
  assertEquals(builtBlocks(reused()), expected);
  const [first, second] = leaves;
  assert(first && second);
  assertThrows(() => builtBlocks([second, first]), "malformed");
  assertThrows(() => builtBlocks([first, first]), "malformed");
});

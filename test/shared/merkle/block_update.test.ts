import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import { type BlockSource, closestBit, type LeafChange, updateBlocks } from "../../../shared/merkle/block_update.ts";
import { rootOfSorted } from "../../../shared/merkle/sorted_root.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { builtBlocks } from "./block_model.ts";
import { keys, rowHashes, sorted, tableLeaves } from "./state_tree_model.ts";

function blocksOf(leaves: readonly Leaf[]): Map<string, Bytes> {
  return new Map([...builtBlocks(sorted(leaves))].map(([path, nodes]) => [path, encodeBlock(nodes)]));
}

/** A tree in memory, which counts what is asked of it. */
class MemorySource implements BlockSource {
  readonly stored: Map<string, Bytes>;
  readonly #leaves: readonly Leaf[];
  read = 0;

  constructor(leaves: readonly Leaf[]) {
    this.#leaves = leaves;
    this.stored = blocksOf(leaves);
  }

  closest(wanted: readonly Bytes[]): Promise<number[]> {
    const others = (key: Bytes) => this.#leaves.map((leaf) => leaf.key).filter((other) => toHex(other) !== toHex(key));
    return Promise.resolve(wanted.map((key) => closestBit(key, others(key))));
  }

  blocks(paths: readonly string[]): Promise<Map<string, Bytes>> {
    const found = new Map<string, Bytes>();
    for (const path of paths) {
      const block = this.stored.get(path);
      if (block !== undefined) found.set(path, block);
    }
    this.read += found.size;
    return Promise.resolve(found);
  }
}

/** The leaves with the changes. */
function changed(leaves: readonly Leaf[], changes: readonly LeafChange[]): Leaf[] {
  const all = new Map(leaves.map((leaf) => [toHex(leaf.key), leaf]));
  for (const { key, rowHash } of changes) {
    if (rowHash === null) all.delete(toHex(key));
    else all.set(toHex(key), { key, rowHash });
  }
  return sorted([...all.values()]);
}

/** Keys that are alike for long: digits of three values at the start and at the end. */
const alike = fc.tuple(fc.array(fc.constantFrom(0x00, 0x01, 0x10), { minLength: 3, maxLength: 3 }), fc.nat(5)).map(
  ([bytes, number]) => {
    const token = new Uint8Array(32);
    token.set(bytes);
    return treeKey(token, number);
  },
);

const steps = fc.oneof(keys, alike).chain((first) => {
  // All of a kind half of the time, so that they meet.
  const some = fc.oneof(fc.constant(first), keys, alike, alike);
  const set = { selector: ({ key }: LeafChange) => toHex(key), maxLength: 25 };
  const leaf = fc.record({ key: some, rowHash: rowHashes }, { noNullPrototype: true });
  const change = fc.record({ key: some, rowHash: fc.option(rowHashes) }, { noNullPrototype: true });
  return fc.tuple(fc.uniqueArray(leaf, set), fc.array(fc.uniqueArray(change, set), { maxLength: 6 }));
});

Deno.test("TREE-07: updateBlocks() leaves the blocks and the root that the new leaves have, step by step", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async ([start, rounds]) => {
      let leaves: Leaf[] = sorted(start);
      for (const changes of rounds) {
        const source = new MemorySource(leaves);
        const { root, added, blocks } = await updateBlocks(source, changes);
        const next = changed(leaves, changes);
        assertEquals({ root, count: leaves.length + added }, rootOfSorted(next));
        const expected = blocksOf(next);
        for (const [path, block] of blocks) {
          assert(block !== null || source.stored.has(path), "a block goes that was not there");
          if (block !== null) assert(toHex(block) !== toHex(source.stored.get(path) ?? new Uint8Array(0)));
          if (block === null) source.stored.delete(path);
          else source.stored.set(path, block);
        }
        assertEquals(new Map([...source.stored].toSorted()), new Map([...expected].toSorted()));
        leaves = next;
      }
    }),
    { numRuns: 400 },
  );
});

Deno.test("updateBlocks() reads no more than the ways of the changed leaves", async () => {
  const leaves = tableLeaves(2_000);
  const source = new MemorySource(leaves);
  const last = leaves.at(-1);
  assert(last !== undefined);
  const { blocks } = await updateBlocks(source, [{ key: last.key, rowHash: null }]);
  assert(source.read <= 8 && blocks.size <= source.read, `${source.read} blocks read`);
});

Deno.test("updateBlocks() refuses a source without the tree", async () => {
  const source = { closest: () => Promise.resolve([]), blocks: () => Promise.resolve(new Map<string, Bytes>()) };
  await assertRejects(() => updateBlocks(source, []), "storage");
});

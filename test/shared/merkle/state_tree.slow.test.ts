import { StateTree } from "../../../shared/merkle/state_tree.ts";
import { innerHash, leafHash } from "../../../shared/merkle/tree_hash.ts";
import { assert } from "../../assert.ts";
import { tableLeaves } from "./state_tree_model.ts";

const COUNT = 200_000;

function millis(run: () => void): number {
  const started = performance.now();
  run();
  return performance.now() - started;
}

Deno.test("a tree of 200,000 leaves takes at most 200 bytes a leaf, and little more time than its hashes", () => {
  const leaves = tableLeaves(COUNT);
  const [first] = leaves;
  assert(first);
  const before = Deno.memoryUsage();
  const kept = StateTree.fromSorted(leaves);
  kept.root();
  const after = Deno.memoryUsage();
  const bytesPerLeaf = (after.external + after.heapUsed - before.external - before.heapUsed) / COUNT;
  assert(bytesPerLeaf <= 200, `${bytesPerLeaf} bytes a leaf`);

  // The best of several rounds of both, so that what else the machine does falls out.
  const rounds = Array.from({ length: 5 }, () => ({
    build: millis(() => StateTree.fromSorted(leaves).root()),
    hashes: millis(() => {
      for (let i = 0; i < COUNT; i++) innerHash(i % 320, leafHash(first.key, first.rowHash), first.rowHash);
    }),
  }));
  const build = Math.min(...rounds.map((round) => round.build));
  const hashes = Math.min(...rounds.map((round) => round.hashes));
  assert(build <= 3 * hashes, `built in ${build} ms, bare hashes in ${hashes} ms`);
  assert(kept.size === COUNT);
});

Deno.test("a change to a tree of 200,000 leaves costs hashes on one path, not on all", () => {
  const leaves = tableLeaves(COUNT);
  const tree = StateTree.fromSorted(leaves);
  const build = millis(() => tree.root());
  const changes = 200;
  const changed = millis(() => {
    for (let i = 0; i < changes; i++) {
      const leaf = leaves[(i * 7919) % COUNT];
      assert(leaf);
      tree.set({ key: leaf.key, rowHash: leaf.key.slice(0, 32).reverse() });
      tree.root();
    }
  });
  assert(changed / changes < build / 100, `${changed / changes} ms a change, ${build} ms for all`);
});

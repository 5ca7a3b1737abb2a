import { belowsOf, growBlock, type GrownBelow, type GrownBlock } from "../../../shared/merkle/grown_block.ts";
import { BlockCache, type TreeName } from "../../../edge/store/read/block_cache.ts";
import { assert, assertEquals } from "../../assert.ts";

function root(): GrownBlock {
  const block = growBlock("", []);
  assert(block);
  return block;
}

Deno.test("a tree is kept for its own space, table and generation, until that of another generation comes", () => {
  const cache = new BlockCache(10);
  const [one, two] = [root(), root()];
  const name = { space: 1, table: 2, generation: 3 };
  cache.keep(name, one);
  assertEquals(cache.root(name) === one, true);
  for (const other of [{ space: 2 }, { table: 3 }, { generation: 4 }]) {
    assertEquals(cache.root({ ...name, ...other }), undefined);
  }
  cache.keep({ ...name, generation: 4 }, two);
  assertEquals(cache.root(name), undefined);
  assertEquals(cache.root({ ...name, generation: 4 }) === two, true);
});

Deno.test("blocks of past generations do not count, and trees are forgotten when they alone are too many", () => {
  const cache = new BlockCache(5);
  const name = (generation: number) => ({ space: 1, table: 1, generation });
  for (let generation = 1; generation < 20; generation++) {
    cache.keep(name(generation), root());
    for (let i = 0; i < 3; i++) cache.count(name(generation));
    for (let i = 0; i < 9; i++) cache.count(name(generation - 1));
    assert(cache.root(name(generation)), `generation ${generation}`);
  }
  assertEquals(cache.cuts, 0);
  for (let space = 2; space < 6; space++) cache.keep({ space, table: 1, generation: 1 }, root());
  assertEquals(cache.cuts, 1);
  assertEquals(cache.root(name(19)), undefined);
  cache.keep(name(19), root());
  assert(cache.root(name(19)));
});

Deno.test("the lowest levels of all trees are forgotten when there are too many blocks, the upper ones stay", () => {
  const cache = new BlockCache(20);
  const trees = [1, 2].map((space) => ({ space, table: 1, generation: 1 }));
  const below = (block: GrownBlock) => belowsOf(block).map((node) => node.below);
  for (const tree of trees) {
    const top = inner("");
    cache.keep(tree, top);
    for (const first of belowsOf(top).entries()) put(cache, tree, first, top);
  }
  assertEquals(cache.cuts, 0);
  // Each has one block, two below it, and now the third level comes.
  for (const tree of trees) {
    for (const second of below(cache.root(tree) ?? root())) {
      if (second === null) continue;
      for (const third of belowsOf(second).entries()) for (let n = 0; n < 4; n++) put(cache, tree, third, second);
    }
  }
  assert(cache.cuts > 0);
  for (const tree of trees) {
    const top = cache.root(tree);
    assert(top);
    assert(below(top).every((second) => second !== null), "the second level is there");
  }
});

/** A block with two that can be put below it. */
function inner(path: string): GrownBlock {
  const block = growBlock(path, [4 * path.length, new Uint8Array(32), new Uint8Array(32)]);
  assert(block);
  return block;
}

function put(cache: BlockCache, tree: TreeName, [digit, node]: [number, GrownBelow], above: GrownBlock): void {
  node.below = inner(`${above.path}${8 * digit}`);
  cache.count(tree);
}

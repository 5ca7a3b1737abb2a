import { growBlock, type GrownBlock } from "../../../shared/merkle/grown_block.ts";
import { BlockCache } from "../../../edge/store/block_cache.ts";
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

Deno.test("all trees are forgotten when they have too many blocks, and those of past generations do not count", () => {
  const cache = new BlockCache(5);
  const name = (generation: number) => ({ space: 1, table: 1, generation });
  for (let generation = 1; generation < 20; generation++) {
    cache.keep(name(generation), root());
    for (let i = 0; i < 3; i++) cache.count(name(generation));
    for (let i = 0; i < 9; i++) cache.count(name(generation - 1));
    assert(cache.root(name(generation)), `generation ${generation}`);
  }
  cache.count(name(19));
  assert(cache.root(name(19)));
  cache.keep({ space: 2, table: 1, generation: 1 }, root());
  assertEquals(cache.root(name(19)), undefined);
  assertEquals(cache.root({ space: 2, table: 1, generation: 1 }), undefined);
  cache.keep(name(19), root());
  assert(cache.root(name(19)));
});

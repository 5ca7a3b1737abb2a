/** What a delta does to the trees: from the changes alone, unless there are so many that a pass over all leaves is cheaper. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { type BlockSource, type LeafChange, pathsOf, updateBlocks } from "../../../shared/merkle/block_update.ts";
import type { Leaf } from "../../../shared/merkle/tree_hash.ts";
import type { TableState } from "../../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import { stagedContents, stagedLeaves } from "../plan/staged.ts";
import { CONTENT_TREE, forgetStagedBlocks, stageBlocks, type StoredBlock } from "./blocks.ts";
import { makeBlocks } from "./full_trees.ts";
import { contentLeaves, placedLeaves } from "./placed.ts";
import { overlay, type StateRoots } from "./roots.ts";
import { placedTree } from "./tree_source.ts";

/** More changes than these are not held in memory, each with its way through the tree. */
const FEW_CHANGES = 4_000;

/** A tree as it is placed, and what is staged for it. */
interface DeltaTree {
  readonly tbl: number;
  readonly source: BlockSource;
  readonly leaves: () => AsyncIterable<readonly Leaf[]>;
  readonly changes: () => AsyncIterable<readonly LeafChange[]>;
}

/**
 * Counts and roots of all tables of an epoch with what is staged on top of what is placed; stages what that does to their blocks.
 *
 * @param base of what is placed
 * @param few up to how many changes of a tree are taken one by one
 */
export async function stageTrees(
  db: Database,
  epoch: number,
  base: StateRoots,
  few: number = FEW_CHANGES,
): Promise<StateRoots> {
  await db.execute(forgetStagedBlocks());
  const states: Partial<Record<TableName, TableState>> = {};
  for (const name of TABLE_NAMES) {
    const tbl = TABLES[name];
    const tree: DeltaTree = {
      tbl,
      source: placedTree(db, epoch, tbl),
      leaves: () => placedLeaves(db, epoch, tbl),
      changes: () => stagedLeaves(db, tbl),
    };
    states[name] = await stageTree(db, tree, base.tables[name], few);
  }
  const content: DeltaTree = {
    tbl: CONTENT_TREE,
    source: placedTree(db, epoch, CONTENT_TREE),
    leaves: () => contentLeaves(db, epoch),
    changes: () => stagedContents(db),
  };
  const { root } = await stageTree(db, content, { root: base.contentRoot, count: 0 }, few);
  return { tables: states as Record<TableName, TableState>, contentRoot: root };
}

async function stageTree(db: Database, tree: DeltaTree, base: TableState, few: number): Promise<TableState> {
  const changes: LeafChange[] = [];
  for await (const page of tree.changes()) {
    changes.push(...page);
    if (changes.length > few) return await stageByPass(db, tree);
  }
  if (changes.length === 0) return base;
  const { root, added, blocks } = await updateBlocks(tree.source, changes);
  await stageBlocks(db, tree.tbl, Array.from(blocks, ([path, block]) => ({ path, block })));
  return { root, count: base.count + added };
}

async function stageByPass(db: Database, tree: DeltaTree): Promise<TableState> {
  // Only where a leaf goes can a block go.
  const going = new Set<string>();
  for await (const page of tree.changes()) {
    const keys = page.filter(({ rowHash }) => rowHash === null).map(({ key }) => key);
    for (const path of (await blocksOnTheWay(tree.source, keys)).keys()) going.add(path);
  }
  const state = await makeBlocks(overlay(tree.leaves(), tree.changes()), async (made) => {
    const before = await tree.source.blocks(made.map(({ path }) => path));
    for (const { path } of made) going.delete(path);
    await stageBlocks(db, tree.tbl, made.filter(({ path, block }) => !isSame(block, before.get(path))));
  });
  await stageBlocks(db, tree.tbl, Array.from(going, (path): StoredBlock => ({ path, block: null })));
  return state;
}

async function blocksOnTheWay(source: BlockSource, keys: readonly Bytes[]): Promise<ReadonlyMap<string, Bytes>> {
  const closest = await source.closest(keys);
  return await source.blocks([...new Set(keys.flatMap((key, i) => pathsOf(key, closest[i] ?? -1)))]);
}

function isSame(block: Bytes, before: Bytes | undefined): boolean {
  return before !== undefined && equalBytes(block, before);
}

/** The trees of an epoch that is placed anew: roots and blocks in one pass over the leaves and in flat memory. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import { createBlocks } from "../../../shared/merkle/block_builder.ts";
import type { SortedRoot } from "../../../shared/merkle/sorted_root.ts";
import type { Leaf } from "../../../shared/merkle/tree_hash.ts";
import type { TableState } from "../../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import { CONTENT_TREE, dropBlocks, placeBlocks } from "./blocks.ts";
import { contentLeaves, placedLeaves } from "./placed.ts";
import type { StateRoots } from "./roots.ts";

/** A block that is just made. */
export interface MadeBlock {
  readonly path: string;
  readonly block: Bytes;
}

/** Whoever wants blocks as they are made. */
export interface TreeReceiver {
  /** Blocks of a table, each once. */
  readonly blocks: (tbl: number, blocks: readonly MadeBlock[]) => Promise<void>;
  /** How many leaves of all tables are done. */
  readonly progress: (leaves: number) => void;
}

/**
 * Counts and roots of all tables of an epoch, and of its content (spec: TREE-01, TREE-03, TREE-05); keeps their blocks, and hands those
 * of tables on. The order is the same each time.
 */
export async function placeTrees(db: Database, epoch: number, receiver: TreeReceiver): Promise<StateRoots> {
  await dropBlocks(db, epoch);
  const states: Partial<Record<TableName, TableState>> = {};
  let leaves = 0;
  for (const name of TABLE_NAMES) {
    const tbl = TABLES[name];
    states[name] = await makeBlocks(placedLeaves(db, epoch, tbl), async (blocks, taken) => {
      await placeBlocks(db, epoch, tbl, blocks);
      await receiver.blocks(tbl, blocks);
      receiver.progress(leaves += taken);
    });
  }
  const { root } = await makeBlocks(
    contentLeaves(db, epoch),
    (blocks) => placeBlocks(db, epoch, CONTENT_TREE, blocks),
  );
  return { tables: states as Record<TableName, TableState>, contentRoot: root };
}

/**
 * The tree over leaves that come in order and in pages.
 *
 * @param receive is given the blocks that a page has finished, and how many leaves it had
 */
export async function makeBlocks(
  pages: AsyncIterable<readonly Leaf[]>,
  receive: (blocks: readonly MadeBlock[], leaves: number) => Promise<void>,
): Promise<SortedRoot> {
  let made: MadeBlock[] = [];
  const builder = createBlocks(({ path, nodes }) => void made.push({ path, block: encodeBlock(nodes) }));
  const handOn = async (leaves: number) => {
    const blocks = made;
    made = [];
    await receive(blocks, leaves);
  };
  for await (const page of pages) {
    for (const leaf of page) builder.add(leaf);
    await handOn(page.length);
  }
  const root = builder.finish();
  await handOn(0);
  return root;
}

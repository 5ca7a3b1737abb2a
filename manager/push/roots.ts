/** Roots of what the edge will hold: what is placed, with a delta laid over it, in one pass and flat memory. */
import { type Bytes, compareBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Database } from "../../shared/database/database.ts";
import { createSortedRoot, type SortedRoot } from "../../shared/merkle/sorted_root.ts";
import { type Leaf, treeKey } from "../../shared/merkle/tree_hash.ts";
import type { TableState } from "../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../shared/protocol/tables.ts";
import type { StagedTable } from "../store/schema.ts";
import { contentLeaves, placedLeaves } from "./placed.ts";

/** A leaf that comes or changes, or, with null, goes. */
interface LeafChange {
  readonly key: Bytes;
  readonly rowHash: Bytes | null;
}

/** What a head says of the whole state. */
export interface StateRoots {
  readonly tables: Readonly<Record<TableName, TableState>>;
  readonly contentRoot: Bytes;
}

/** Counts and roots of all tables of an epoch, and of its content (spec: TREE-01, TREE-03, TREE-05). */
export async function stateRoots(db: Database, epoch: number, staged: readonly StagedTable[]): Promise<StateRoots> {
  const states: Partial<Record<TableName, TableState>> = {};
  for (const name of TABLE_NAMES) {
    const changes = staged.filter(({ tbl }) => tbl === TABLES[name]).map(({ token, number, row_hash }) => ({
      key: treeKey(token, number),
      rowHash: row_hash,
    }));
    states[name] = await rootOf(overlay(placedLeaves(db, epoch, TABLES[name]), changes));
  }
  const contents = staged.map(({ content_key, content_hash }) => ({ key: content_key, rowHash: content_hash }));
  const { root } = await rootOf(overlay(contentLeaves(db, epoch), contents));
  return { tables: states as Record<TableName, TableState>, contentRoot: root };
}

async function rootOf(leaves: AsyncIterable<Leaf>): Promise<SortedRoot> {
  const builder = createSortedRoot();
  for await (const leaf of leaves) builder.add(leaf);
  return builder.finish();
}

/** Lays changes over sorted leaves; the result is sorted again. */
export async function* overlay(leaves: AsyncIterable<Leaf>, changes: readonly LeafChange[]): AsyncGenerator<Leaf> {
  const changed = new Set(changes.map(({ key }) => toHex(key)));
  const coming = changes.flatMap(({ key, rowHash }) => rowHash === null ? [] : [{ key, rowHash }])
    .sort((a, b) => compareBytes(a.key, b.key));
  let next = 0;
  for await (const leaf of leaves) {
    for (
      let fresh = coming[next];
      fresh !== undefined && compareBytes(fresh.key, leaf.key) < 0;
      fresh = coming[++next]
    ) {
      yield fresh;
    }
    if (changed.size === 0 || !changed.has(toHex(leaf.key))) yield leaf;
  }
  yield* coming.slice(next);
}

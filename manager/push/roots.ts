/** Roots of what the edge will hold: what is placed, with a delta laid over it, in one pass and flat memory. */
import { type Bytes, compareBytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { createSortedRoot, type SortedRoot } from "../../shared/merkle/sorted_root.ts";
import type { Leaf } from "../../shared/merkle/tree_hash.ts";
import { type Head, openHeadSecrets, type TableState } from "../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../shared/protocol/tables.ts";
import type { OpenEpoch } from "./epoch.ts";
import { contentLeaves, placedLeaves } from "./placed.ts";
import { oneByOne } from "./pages.ts";
import { type LeafChange, stagedContents, stagedLeaves } from "./staged.ts";

/** What a head says of the whole state. */
export interface StateRoots {
  readonly tables: Readonly<Record<TableName, TableState>>;
  readonly contentRoot: Bytes;
}

/**
 * Counts and roots of all tables of an epoch, and of its content (spec: TREE-01, TREE-03, TREE-05).
 *
 * @param withStaged whether what is staged comes on top of what is placed
 */
export async function stateRoots(db: Database, epoch: number, withStaged: boolean): Promise<StateRoots> {
  const states: Partial<Record<TableName, TableState>> = {};
  for (const name of TABLE_NAMES) {
    const changes = withStaged ? stagedLeaves(db, TABLES[name]) : none();
    states[name] = await rootOf(overlay(placedLeaves(db, epoch, TABLES[name]), changes));
  }
  const { root } = await rootOf(overlay(contentLeaves(db, epoch), withStaged ? stagedContents(db) : none()));
  return { tables: states as Record<TableName, TableState>, contentRoot: root };
}

/** The roots that a head of this epoch states: nothing has changed since, so nothing is computed. */
export async function rootsOf(head: Head, { keys }: OpenEpoch): Promise<StateRoots> {
  return { tables: head.tables, ...await openHeadSecrets(keys, head) };
}

async function rootOf(pages: AsyncIterable<readonly Leaf[]>): Promise<SortedRoot> {
  const builder = createSortedRoot();
  for await (const page of pages) for (const leaf of page) builder.add(leaf);
  return builder.finish();
}

async function* none(): AsyncGenerator<LeafChange[]> {}

/** Lays changes over leaves, both sorted and in pages; the result is so again. A change of a key that is not there adds it. */
export async function* overlay(
  leaves: AsyncIterable<readonly Leaf[]>,
  changes: AsyncIterable<readonly LeafChange[]>,
): AsyncGenerator<Leaf[]> {
  const waiting = oneByOne(changes);
  let change = (await waiting.next()).value;
  for await (const page of leaves) {
    const merged: Leaf[] = [];
    for (const leaf of page) {
      let order = 1;
      while (change !== undefined && order !== 0 && (order = compareBytes(change.key, leaf.key)) <= 0) {
        if (change.rowHash !== null) merged.push({ key: change.key, rowHash: change.rowHash });
        change = (await waiting.next()).value;
      }
      if (order !== 0) merged.push(leaf);
    }
    yield merged;
  }
  const rest: Leaf[] = [];
  for (; change !== undefined; change = (await waiting.next()).value) {
    if (change.rowHash !== null) rest.push({ key: change.key, rowHash: change.rowHash });
  }
  yield rest;
}

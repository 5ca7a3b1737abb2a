/** What a head says of the whole state, and leaves with a delta laid over them. */
import { type Bytes, compareBytes } from "../../../shared/bytes/bytes.ts";
import type { Leaf } from "../../../shared/merkle/tree_hash.ts";
import { type Head, openHeadSecrets, type TableState } from "../../../shared/protocol/head.ts";
import type { TableName } from "../../../shared/protocol/tables.ts";
import type { OpenEpoch } from "../epoch.ts";
import { oneByOne } from "../pages.ts";
import type { LeafChange } from "../plan/staged.ts";

/** What a head says of the whole state. */
export interface StateRoots {
  readonly tables: Readonly<Record<TableName, TableState>>;
  readonly contentRoot: Bytes;
}

/** The roots that a head of this epoch states: nothing has changed since, so nothing is computed. */
export async function rootsOf(head: Head, { keys }: OpenEpoch): Promise<StateRoots> {
  const { contentRoot } = await openHeadSecrets(keys, head);
  return { tables: head.tables, contentRoot };
}

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

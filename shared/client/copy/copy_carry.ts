/** A copy carried from one epoch into another: what did not change is opened under the old keys and sealed under the new ones. */
import type { RandomBytes } from "../../crypto/random.ts";
import { rowHash, sealRow } from "../../protocol/row.ts";
import { rowKey } from "../../protocol/token.ts";
import { treeKey } from "../../merkle/tree_hash.ts";
import { CopiedContents, openRows } from "./copied_contents.ts";
import { type Copied, type CopiedTables, emptyTables, isCopied } from "./copied_tables.ts";
import { type NamedRows, placeName } from "./copy_lists.ts";
import type { CopiedRow } from "../memory/copy_store.ts";
import type { TableRow } from "../verify/open_content.ts";
import type { View } from "../verify/view.ts";

/** What a copy is carried with. */
export interface Carriage {
  /** The rows of the copy, those of devices aside. */
  readonly rows: AsyncIterable<CopiedRow>;
  /** Of the copy, and of the newer head. */
  readonly base: View;
  readonly view: View;
  readonly named: NamedRows;
  /** The rows of the new epoch that were fetched: all of devices, and those that are named. */
  readonly fetched: readonly Copied[];
  readonly random: RandomBytes;
}

/** A copy of the newer head. */
export interface CarriedCopy {
  readonly tables: CopiedTables;
  readonly contents: CopiedContents;
  readonly put: readonly Copied[];
  /** How many rows were not fetched. */
  readonly carried: number;
}

/**
 * Makes the copy of the newer head, or null when its contents are not those that the manager signed.
 *
 * @throws `tampered` for rows that are not what they were; `withheld`, `tampered` when the devices are not those of the head
 */
// spec: COPY-02, COPY-03
export async function carryOver({ rows, base, view, named, fetched, random }: Carriage): Promise<CarriedCopy | null> {
  const tables = emptyTables();
  const contents = new CopiedContents();
  const put: Copied[] = [];
  const take = (row: Copied, opened: TableRow) => {
    if (!contents.put(opened)) return;
    tables[row.table].put({ key: row.key, rowHash: rowHash(row.bytes) });
    put.push(row);
  };
  for await (const batch of openRows(base.keys, rows)) {
    const sealed = await Promise.all(batch.map(({ row, opened }) => sealAgain(row, opened, view, named, random)));
    for (const one of sealed) if (one !== null) take(one.row, one.opened);
  }
  const carried = put.length;
  for await (const batch of openRows(view.keys, fetched)) {
    for (const { row, opened } of batch) take(row, opened);
  }
  tables.devices.requireState(view.head.head.tables.devices);
  return contents.is(view.contentRoot) ? { tables, contents, put, carried } : null;
}

/** Null for what is not carried: cover rows, and what the lists name. */
async function sealAgain(
  { table }: CopiedRow,
  opened: TableRow,
  { keys }: View,
  named: NamedRows,
  random: RandomBytes,
): Promise<{ readonly row: Copied; readonly opened: TableRow } | null> {
  const { place, plaintext } = opened;
  if (place === null || !isCopied(table)) return null;
  const key = rowKey(keys, place.list, place.number);
  if (named.has(placeName(key))) return null;
  const bytes = await sealRow(keys, key, null, plaintext, random);
  return { row: { table, key: treeKey(key.token, key.number), bytes }, opened };
}

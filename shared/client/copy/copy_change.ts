/** What was fetched, laid over a copy of the same epoch: accepted when it is what the head says, by its tables or by its contents. */
import { encodeCbor } from "../../bytes/cbor.ts";
import { rowHash } from "../../protocol/row.ts";
import { CopiedContents, openRows } from "./copied_contents.ts";
import { changeTables, type Copied, type CopiedTables } from "./copied_tables.ts";
import type { Fetched } from "./copy_fetch.ts";
import { makeNote } from "./copy_note.ts";
import type { CopyChange, CopyState, CopyStore } from "../memory/copy_store.ts";
import type { View } from "../verify/view.ts";

/** A copy that is open. */
export interface OpenCopy {
  readonly view: View;
  readonly tables: CopiedTables;
  /** Null for a copy that is as the edge has it: its tables are those of the head. */
  readonly proof: ContentProof | null;
}

/** What proves a copy with rows that this device sealed itself. */
export interface ContentProof {
  /** Null until it is needed: every row has to be opened for it. */
  readonly contents: CopiedContents | null;
}

/** A change of a copy, and the copy after it. */
export interface ProvenChange {
  readonly change: CopyChange;
  readonly copy: OpenCopy;
}

/**
 * Changes a copy that is as the edge has it; so it is afterwards.
 *
 * @throws `withheld`, `tampered` when it does not come to the tables of the head (spec: TREE-04); the copy is then as it was
 */
export function changeExact(tables: CopiedTables, view: View, isWhole: boolean, fetched: Fetched): ProvenChange {
  changeTables(tables, fetched, view.head.head);
  return { change: { state: stateOf(view, null), isWhole, ...fetched }, copy: { view, tables, proof: null } };
}

/**
 * Changes a copy that its contents prove, or gives null when they are not those that the manager signed. Either way it is of no use
 * afterwards, and is to be read from its store again unless the change is stored.
 *
 * @throws `tampered` for rows that are not the manager's; `withheld`, `tampered` when the devices are not those of the head
 */
// spec: COPY-03, COPY-04
export async function changeProven(
  store: CopyStore,
  { view: { keys }, tables, proof }: OpenCopy,
  view: View,
  fetched: Fetched,
): Promise<ProvenChange | null> {
  const contents = proof?.contents ?? await contentsOf(store, keys);
  const removed: Copied[] = [];
  for (const { table, key } of fetched.remove) {
    // Cover rows are in no such copy.
    const bytes = await store.row(table, key);
    if (bytes !== null) removed.push({ table, key, bytes });
  }
  for await (const batch of openRows(keys, removed)) {
    for (const { row: { table, key }, opened } of batch) {
      contents.remove(opened);
      tables[table].remove(key);
    }
  }
  const put: Copied[] = [];
  for await (const batch of openRows(view.keys, fetched.put)) {
    for (const { row, opened } of batch) {
      if (!contents.put(opened)) continue;
      tables[row.table].put({ key: row.key, rowHash: rowHash(row.bytes) });
      put.push(row);
    }
  }
  if (!contents.is(view.contentRoot)) return null;
  // Contents say nothing of what stands in the clear beside them.
  tables.devices.requireState(view.head.head.tables.devices);
  return proven({ view, tables, contents }, { isWhole: false, put, remove: removed });
}

/** A copy whose contents are those of its head, with the note that says so (spec: COPY-04). */
export function proven(
  { view, tables, contents }: Pick<OpenCopy, "view" | "tables"> & { readonly contents: CopiedContents },
  change: Omit<CopyChange, "state">,
): ProvenChange {
  const { certificates, messages } = tables;
  const note = makeNote(view, { certificates: certificates.state, messages: messages.state });
  return { change: { ...change, state: stateOf(view, note) }, copy: { view, tables, proof: { contents } } };
}

async function contentsOf(store: CopyStore, keys: View["keys"]): Promise<CopiedContents> {
  const contents = new CopiedContents();
  for await (const batch of openRows(keys, store.rows())) for (const { opened } of batch) contents.put(opened);
  return contents;
}

function stateOf({ statement, head }: View, note: CopyState["note"]): CopyState {
  return { statement: statement.signed, head: encodeCbor([head.bytes, head.signature]), note };
}

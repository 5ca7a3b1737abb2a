/** The tables of a local copy, and what changes them: all of it, and verified, or nothing. */
import type { Bytes } from "../../bytes/bytes.ts";
import type { Head } from "../../protocol/head.ts";
import { rowHash } from "../../protocol/row.ts";
import { CopiedTable } from "./copied_table.ts";
import type { CopiedRow } from "../memory/copy_store.ts";

/** Which tables are copied: the change lists of the fourth say nothing that the others do not. */
export const COPIED = ["devices", "certificates", "messages"] as const;

export type CopiedName = typeof COPIED[number];

export type CopiedTables = Readonly<Record<CopiedName, CopiedTable>>;

/** A row of one of them. */
export type Copied = CopiedRow & { readonly table: CopiedName };

export function isCopied(table: string): table is CopiedName {
  return COPIED.some((name) => name === table);
}

export function emptyTables(): CopiedTables {
  return { devices: new CopiedTable(), certificates: new CopiedTable(), messages: new CopiedTable() };
}

/**
 * Changes the tables to those of a head.
 *
 * @throws `withheld`, `tampered` when they are not (spec: TREE-04); the tables are then as they were
 */
export function changeTables(
  tables: CopiedTables,
  { put, remove }: { readonly put: readonly Copied[]; readonly remove: readonly Omit<Copied, "bytes">[] },
  { tables: states }: Pick<Head, "tables">,
): void {
  const undo: { readonly table: CopiedTable; readonly key: Bytes; readonly before: Bytes | undefined }[] = [];
  for (const { table: name, key } of remove) {
    const table = tables[name];
    undo.push({ table, key, before: table.remove(key) });
  }
  for (const { table: name, key, bytes } of put) {
    const table = tables[name];
    undo.push({ table, key, before: table.put({ key, rowHash: rowHash(bytes) }) });
  }
  try {
    for (const name of COPIED) tables[name].requireState(states[name]);
  } catch (error) {
    for (const { table, key, before } of undo.reverse()) {
      if (before === undefined) table.remove(key);
      else table.put({ key, rowHash: before });
    }
    throw error;
  }
}

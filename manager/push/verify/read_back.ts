/** Reads back what was pushed and compares it with what was signed (spec: PUSH-10). */
import { type Bytes, compareBytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { createSortedRoot } from "../../../shared/merkle/sorted_root.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import { rowHash, treeKeyOfRow } from "../../../shared/protocol/row.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import type { EdgeLink, RowPage } from "../../edge/link.ts";
import { oneAhead, oneByOne } from "../pages.ts";
import { type LeafChange, stagedLeaves } from "../plan/staged.ts";

/** Called after each page: how many of how many rows were read. */
type Progress = (done: number, total: number) => void;
type Tables = Head["tables"];
type ReadPage = (name: TableName, after: Bytes | null) => Promise<RowPage>;

/** Fetches every table whole and compares count and root with the head. @throws `tampered`, `withheld` */
export async function readBackAll(link: EdgeLink, head: Head, onProgress?: Progress): Promise<void> {
  const { epoch, generation, tables } = head;
  await compareTables(tables, (name, after) => link.tablePage(name, epoch, generation, after), onProgress);
}

/**
 * Fetches everything that an open full push brought and compares it with what is about to be signed.
 *
 * @throws `tampered`, `withheld`
 */
// spec: PUSH-21
export async function readBackPushed(link: EdgeLink, id: Bytes, tables: Tables, onProgress?: Progress): Promise<void> {
  await compareTables(tables, (name, after) => link.pushedPage(id, name, after), onProgress);
}

async function compareTables(tables: Tables, read: ReadPage, onProgress?: Progress): Promise<void> {
  const total = TABLE_NAMES.reduce((sum, name) => sum + tables[name].count, 0);
  let done = 0;
  for (const name of TABLE_NAMES) {
    const { count, root } = tables[name];
    const builder = createSortedRoot();
    let found = 0;
    for await (const page of oneAhead(tablePages(name, read))) {
      found += page.length;
      // Also what makes an edge that invents rows come to an end.
      if (found > count) throw other(name);
      for (const { key, row } of page) builder.add({ key, rowHash: rowHash(row) });
      onProgress?.(done += page.length, total);
    }
    if (found < count) {
      throw new PosternError("withheld", `The edge shows ${found} rows of ${name}; the head says ${count}`);
    }
    if (!equalBytes(builder.finish().root, root)) throw other(name);
  }
}

/** Compares what the edge says has changed since `base` with the delta that is staged. @throws `tampered`, `withheld` */
export async function readBackChanges(db: Database, link: EdgeLink, head: Head, base: number): Promise<void> {
  for (const name of TABLE_NAMES) {
    const expected = oneByOne(stagedLeaves(db, TABLES[name]));
    for await (const page of changePages(link, name, head, base)) {
      for (const shown of page) {
        const { value: sent } = await expected.next();
        if (sent === undefined) throw other(name);
        if (compareBytes(sent.key, shown.key) < 0) throw missing(name);
        if (!equalBytes(sent.key, shown.key) || !sameHash(sent.rowHash, shown.rowHash)) throw other(name);
      }
    }
    if ((await expected.next()).done !== true) throw missing(name);
  }
}

/** A row as the edge shows it, and the key that it names. */
interface Shown {
  readonly key: Bytes;
  readonly row: Bytes;
}

async function* tablePages(name: TableName, read: ReadPage): AsyncGenerator<Shown[]> {
  let after: Bytes | null = null;
  do {
    const page = await read(name, after);
    const shown = page.rows.map((row) => ({ key: keyOf(name, row), row }));
    requireOrder(name, after, shown);
    after = nextKey(name, page.next, shown);
    yield shown;
  } while (after !== null);
}

async function* changePages(link: EdgeLink, name: TableName, head: Head, base: number): AsyncGenerator<LeafChange[]> {
  let after: Bytes | null = null;
  do {
    const page = await link.changesPage(name, head.epoch, base, head.generation, after);
    const removed = page.removed.map(({ token, number }) => ({ key: treeKey(token, number), rowHash: null }));
    const changes: LeafChange[] = [...page.rows.map((row) => leafOf(name, row)), ...removed];
    changes.sort((a, b) => compareBytes(a.key, b.key));
    requireOrder(name, after, changes);
    yield changes;
    after = nextKey(name, page.next, changes);
  } while (after !== null);
}

/** The leaf of a row that the edge shows as one of a table. What is no row was not pushed, so none has its hash. @throws `tampered` */
export function leafOf(name: TableName, row: Bytes): Leaf {
  return { key: keyOf(name, row), rowHash: rowHash(row) };
}

function keyOf(name: TableName, row: Bytes): Bytes {
  try {
    return treeKeyOfRow(TABLES[name], row);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw other(name);
  }
}

/** Keys rise from page to page, or the edge could show one row again and again. */
function requireOrder(name: TableName, after: Bytes | null, page: readonly { readonly key: Bytes }[]): void {
  let before = after;
  for (const { key } of page) {
    if (before !== null && compareBytes(before, key) >= 0) throw other(name);
    before = key;
  }
}

/** Where to go on, if there is more: at the last key shown, which the edge must name (spec: READ-08). */
function nextKey(name: TableName, next: Bytes | null, page: readonly { readonly key: Bytes }[]): Bytes | null {
  if (next === null) return null;
  const last = page.at(-1);
  if (last === undefined) throw new PosternError("withheld", `The edge answers with empty pages of ${name}`);
  if (!equalBytes(last.key, next)) throw other(name);
  return last.key;
}

function sameHash(a: Bytes | null, b: Bytes | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b);
}

function other(name: TableName): PosternError {
  return new PosternError("tampered", `The table ${name} at the edge is not the one that was pushed`);
}

function missing(name: TableName): PosternError {
  return new PosternError("withheld", `The edge does not show all changes of ${name} that it confirmed`);
}

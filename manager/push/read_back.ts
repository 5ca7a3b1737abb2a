/** Reads back what was pushed and compares it with what was signed (spec: PUSH-10). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { PosternError } from "../../shared/errors.ts";
import { createSortedRoot } from "../../shared/merkle/sorted_root.ts";
import { treeKey } from "../../shared/merkle/tree_hash.ts";
import type { Head } from "../../shared/protocol/head.ts";
import { decodeRow, rowHash } from "../../shared/protocol/row.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../shared/protocol/tables.ts";
import type { EdgeLink } from "../edge/link.ts";
import type { StagedTable } from "../store/schema.ts";

/** Fetches every table whole and compares count and root with the head. @throws `tampered`, `withheld` */
export async function readBackAll(
  link: EdgeLink,
  head: Head,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const total = TABLE_NAMES.reduce((sum, name) => sum + head.tables[name].count, 0);
  let done = 0;
  for (const name of TABLE_NAMES) {
    const builder = createSortedRoot();
    for await (const { key, hash } of tableLeaves(link, name, head)) {
      builder.add({ key, rowHash: hash });
      if (++done % 1_000 === 0) onProgress?.(done, total);
    }
    requireState(name, head, builder.finish());
  }
}

/** Compares what the edge says has changed since `base` with what was sent. @throws `tampered`, `withheld` */
export async function readBackChanges(
  link: EdgeLink,
  head: Head,
  base: number,
  staged: readonly StagedTable[],
): Promise<void> {
  for (const name of TABLE_NAMES) {
    const expected = new Map(
      staged.filter(({ tbl }) => tbl === TABLES[name]).map((row) => [placeText(row), row.row_hash]),
    );
    let after: Bytes | null = null;
    do {
      const page = await link.changesPage(name, head.epoch, base, head.generation, after);
      for (const bytes of page.rows) expectRow(expected, placeText(decodeRow(bytes)), rowHash(bytes));
      for (const removed of page.removed) expectRow(expected, placeText(removed), null);
      after = page.next;
    } while (after !== null);
    if (expected.size > 0) {
      throw new PosternError(
        "withheld",
        `The edge does not show ${expected.size} changes of ${name} that it confirmed`,
      );
    }
  }
}

async function* tableLeaves(
  link: EdgeLink,
  name: TableName,
  head: Head,
): AsyncGenerator<{ readonly key: Bytes; readonly hash: Bytes }> {
  let after: Bytes | null = null;
  do {
    const page = await link.tablePage(name, head.epoch, head.generation, after);
    for (const bytes of page.rows) {
      const { token, number, table } = decodeRow(bytes);
      if (table !== TABLES[name]) {
        throw new PosternError("tampered", `The edge shows a row of another table in ${name}`);
      }
      yield { key: treeKey(token, number), hash: rowHash(bytes) };
    }
    if (page.next !== null && page.rows.length === 0) {
      throw new PosternError("withheld", `The edge answers with empty pages of ${name}`);
    }
    after = page.next;
  } while (after !== null);
}

function requireState(name: TableName, head: Head, found: { readonly root: Bytes; readonly count: number }): void {
  const { count, root } = head.tables[name];
  if (found.count < count) {
    throw new PosternError("withheld", `The edge shows ${found.count} rows of ${name}; the head says ${count}`);
  }
  if (found.count !== count || !equalBytes(found.root, root)) {
    throw new PosternError("tampered", `The table ${name} at the edge is not the one that was pushed`);
  }
}

function expectRow(expected: Map<string, Bytes | null>, place: string, hash: Bytes | null): void {
  const sent = expected.get(place);
  const isSent = sent !== undefined && (hash === null || sent === null ? hash === sent : equalBytes(hash, sent));
  if (!isSent) throw new PosternError("tampered", "The edge shows a change that was not pushed");
  expected.delete(place);
}

function placeText({ token, number }: { readonly token: Bytes; readonly number: number }): string {
  return `${toHex(token)}/${number}`;
}

/** Fetches what a copy lacks: whole tables, or what leads from one generation to another. Whether it is all of it, is not verified here. */
import { type Bytes, compareBytes, equalBytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import { treeKey } from "../../merkle/tree_hash.ts";
import { decodeRow, requireMac } from "../../protocol/row.ts";
import { TABLES } from "../../protocol/tables.ts";
import { changesCall, tableCall } from "../session/calls.ts";
import { COPIED, type Copied, type CopiedName } from "./copied_tables.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import { orTampered } from "../verify/open_content.ts";
import type { View } from "../verify/view.ts";

/** What comes and goes. */
export interface Fetched {
  readonly put: readonly Copied[];
  readonly remove: readonly Omit<Copied, "bytes">[];
}

/** The most that an answer may hold (spec: READ-01). */
const PAGE_ENTRIES = 1_000;

/**
 * All rows of tables as of the head of a view.
 *
 * @throws `epoch_gone` when the edge does not keep that state any more
 */
export async function fetchWhole(
  link: DeviceLink,
  view: View,
  names: readonly CopiedName[],
  options: CallOptions,
): Promise<Fetched> {
  const { owner } = link.verifier.profile;
  const { head } = view.head;
  const tables = await Promise.all(names.map(async (table) => {
    const rows: Copied[] = [];
    for (let after: Bytes | null = null, goesOn = true; goesOn;) {
      const from: Bytes | null = after;
      const { answer } = await link.readAt((now, isGone) => {
        requireServed(view, now, isGone);
        return tableCall(owner, table, head, from, PAGE_ENTRIES);
      }, options);
      const page = await keyed(view, table, answer.rows);
      after = lastOf(page, [], from, answer.next);
      goesOn = answer.next !== null;
      rows.push(...page);
      if (rows.length > head.tables[table].count) throw tooMany(table);
    }
    return rows;
  }));
  return { put: tables.flat(), remove: [] };
}

/**
 * What leads from a generation of the same epoch to the head of a view.
 *
 * @param base the head of the copy
 * @throws `epoch_gone` when the edge does not keep one of the two any more
 */
export async function fetchChanges(link: DeviceLink, base: View, view: View, options: CallOptions): Promise<Fetched> {
  const { owner } = link.verifier.profile;
  const { epoch, generation: at, tables: states } = view.head.head;
  const { generation: since, tables: before } = base.head.head;
  const changed = COPIED.filter((table) => !equalBytes(states[table].root, before[table].root));
  const tables = await Promise.all(changed.map(async (table) => {
    const put: Copied[] = [];
    const remove: Omit<Copied, "bytes">[] = [];
    for (let after: Bytes | null = null, goesOn = true; goesOn;) {
      const from: Bytes | null = after;
      const { answer } = await link.readAt((now, isGone) => {
        requireServed(view, now, isGone);
        return changesCall(owner, table, { epoch, since, at }, from, PAGE_ENTRIES);
      }, options);
      const page = await keyed(view, table, answer.rows);
      const gone = answer.removed.map(([token, number]) => ({ table, key: treeKey(token, number) }));
      after = lastOf(page, gone, from, answer.next);
      goesOn = answer.next !== null;
      put.push(...page);
      remove.push(...gone);
      if (put.length > states[table].count || remove.length > before[table].count) throw tooMany(table);
    }
    return { put, remove };
  }));
  return { put: tables.flatMap(({ put }) => put), remove: tables.flatMap(({ remove }) => remove) };
}

/** Asked for again under another epoch, or after a state that is gone, the answer would be of something else. */
function requireServed(view: View, now: View, isGone: boolean): void {
  if (!isGone && now.keys.epoch === view.keys.epoch) return;
  throw new PosternError("epoch_gone", "The edge does not keep the state any more that is being copied");
}

/** Rows of others' making would else be held until all is there: as many as the manager signed, each as large as a row may be. */
// spec: COPY-01
async function keyed({ keys }: View, table: CopiedName, rows: readonly Bytes[]): Promise<Copied[]> {
  return await orTampered(() =>
    Promise.resolve(rows.map((bytes) => {
      const row = decodeRow(bytes);
      if (row.table !== TABLES[table]) throw new PosternError("tampered", "A table holds a row of another table");
      requireMac(keys, row);
      return { table, key: treeKey(row.token, row.number), bytes };
    }))
  );
}

/**
 * The key from which the next page goes on, that of the last entry in this one.
 *
 * @throws `tampered` when entries are out of order, or the edge names another place; `withheld` when there is said to be more, and
 * nothing came
 */
// spec: READ-08
function lastOf(
  rows: readonly Pick<Copied, "key">[],
  removed: readonly Pick<Copied, "key">[],
  after: Bytes | null,
  next: Bytes | null,
): Bytes | null {
  let last = after;
  for (const entries of [rows, removed]) {
    let previous = after;
    for (const { key } of entries) {
      if (previous !== null && compareBytes(previous, key) >= 0) throw outOfPlace();
      previous = key;
    }
    if (previous !== null && (last === null || compareBytes(last, previous) < 0)) last = previous;
  }
  if (next === null) return last;
  if (rows.length + removed.length === 0) {
    throw new PosternError("withheld", "The edge says that a table goes on, and shows nothing of it");
  }
  if (last === null || !equalBytes(last, next)) throw outOfPlace();
  return last;
}

function outOfPlace(): PosternError {
  return new PosternError("tampered", "A row of a table does not stand where the edge shows it");
}

function tooMany(table: CopiedName): PosternError {
  return new PosternError("tampered", `The edge shows more of the table ${table} than the manager signed`);
}

/** Follows change lists: which rows differ between two states, and what they are now (spec: COPY-01). Every answer is proven. */
import type { Bytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { treeKey } from "../../merkle/tree_hash.ts";
import { changedRowKey, type ChangesContent } from "../../protocol/records.ts";
import { decodeRow, rowHash } from "../../protocol/row.ts";
import { TABLE_NAMES } from "../../protocol/tables.ts";
import { LISTS, type RowKey, rowKey } from "../../protocol/token.ts";
import { rowsCall } from "../session/calls.ts";
import { type Copied, type CopiedName, isCopied } from "./copied_tables.ts";
import type { Fetched } from "./copy_fetch.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import { openAsked, orTampered } from "../verify/open_content.ts";
import { verifyList } from "../verify/verify_list.ts";
import type { View } from "../verify/view.ts";

/** A row that lists name, by its place in the epoch of the newer head. */
export interface NamedRow extends RowKey {
  readonly name: CopiedName;
  /** As the last list says. */
  readonly isThere: boolean;
}

/** The rows that lists name, by {@link placeName}. */
export type NamedRows = ReadonlyMap<string, NamedRow>;

/** Rows that follow each other in one list. */
interface Run {
  readonly name: CopiedName;
  readonly place: RowKey;
  readonly last: number;
}

/** A row of a list as it was answered, with a proof. */
interface ListedRow {
  readonly number: number;
  readonly bytes: Bytes;
}

const RUNS_AT_ONCE = 8;

/** The name of a place, for maps. */
export function placeName({ table, token, number }: RowKey): string {
  return `${table}/${toHex(token)}/${number}`;
}

/** Whether the lists of a head lead there from a copy of this incarnation. */
// spec: COPY-01
export function canFollow(base: View, { listed }: View): boolean {
  return listed !== null && listed <= base.head.head.generation;
}

/**
 * What the lists since a copy's generation name.
 *
 * @throws `epoch_gone` when the head is no longer the newest; `tampered`, `withheld` as for any list
 */
export async function namedRows(link: DeviceLink, base: View, view: View, options: CallOptions): Promise<NamedRows> {
  const named = new Map<string, NamedRow>();
  for await (const { changes } of changeLists(link, base, view, options)) {
    for (const change of changes) {
      const place = changedRowKey(view.keys, change);
      const name = TABLE_NAMES[place.table - 1];
      if (name === undefined || !isCopied(name)) throw new PosternError("tampered", "A change list names another list");
      named.set(placeName(place), { ...place, name, isThere: change.content !== null });
    }
  }
  return named;
}

async function* changeLists(
  link: DeviceLink,
  base: View,
  view: View,
  options: CallOptions,
): AsyncGenerator<ChangesContent> {
  const first = rowKey(view.keys, LISTS.generations, base.head.head.generation + 1);
  for await (const { number, bytes } of listRows(link, view, first, Number.MAX_SAFE_INTEGER, options)) {
    const { content } = await openAsked(view.keys, { list: LISTS.generations, number }, bytes);
    if (content.kind === "changes") yield content.changes;
  }
}

/**
 * The rows that are named, as they are now; null when they lie in so many places that to fetch everything asks less.
 *
 * @throws as {@link namedRows}
 */
export async function fetchNamed(
  link: DeviceLink,
  view: View,
  named: Iterable<NamedRow>,
  options: CallOptions,
): Promise<Fetched | null> {
  const rows = [...named];
  const runs = runsOf(rows.filter(({ isThere }) => isThere));
  if (runs.length > LIMITS.maxCopyRuns) return null;
  const put: Copied[] = [];
  for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {
    const some = runs.slice(at, at + RUNS_AT_ONCE);
    put.push(...(await Promise.all(some.map((run) => fetchRun(link, view, run, options)))).flat());
  }
  // What a list named and is not there any more is proven to be gone.
  const remove = rows.map(({ name, token, number }) => ({ table: name, key: treeKey(token, number) }));
  return { put, remove };
}

function runsOf(rows: readonly NamedRow[]): Run[] {
  const runs: { name: CopiedName; place: RowKey; last: number }[] = [];
  const sorted = rows.map((row) => ({ row, list: `${row.table}/${toHex(row.token)}` }))
    .sort((a, b) => a.list < b.list ? -1 : a.list > b.list ? 1 : a.row.number - b.row.number);
  let before = "";
  for (const { row: { name, table, token, number }, list } of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && list === before && number === run.last + 1) run.last = number;
    else runs.push({ name, place: { table, token, number }, last: number });
    before = list;
  }
  return runs;
}

async function fetchRun(
  link: DeviceLink,
  view: View,
  { name, place, last }: Run,
  options: CallOptions,
): Promise<Copied[]> {
  const rows: Copied[] = [];
  for await (const { number, bytes } of listRows(link, view, place, last, options)) {
    rows.push({ table: name, key: treeKey(place.token, number), bytes });
  }
  return rows;
}

/** The rows of a list from a place on, up to a number, as of the head of a view. */
async function* listRows(
  link: DeviceLink,
  view: View,
  place: RowKey,
  last: number,
  options: CallOptions,
): AsyncGenerator<ListedRow> {
  const { owner } = link.verifier.profile;
  for (let from = place.number; from <= last;) {
    const limit = Math.min(last - from + 1, LIMITS.maxAnswerEntries);
    const { answer, view: at } = await link.read(
      () => rowsCall(owner, view.keys.epoch, place, { from }, limit),
      options,
    );
    // Another epoch is another generation as well.
    if (at.head.head.generation !== view.head.head.generation) {
      throw new PosternError("epoch_gone", "The owner's state went on while what changed was fetched");
    }
    if (answer.rows.length > limit) {
      throw new PosternError("tampered", `The edge answers with more than the ${limit} rows asked`);
    }
    const rows = await orTampered(() => Promise.resolve(answer.rows.map((bytes) => listedRow(bytes))));
    verifyList(at, place, { from }, { ...answer, rows });
    yield* rows;
    const end = rows.at(-1);
    if (!answer.more || end === undefined) return;
    from = end.number + 1;
  }
}

function listedRow(bytes: Bytes): ListedRow & { readonly hash: Bytes } {
  return { number: decodeRow(bytes).number, bytes, hash: rowHash(bytes) };
}

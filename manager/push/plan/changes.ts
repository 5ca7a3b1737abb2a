/** What differs between what the edge shall hold and what it holds. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { compile, query } from "../../../shared/database/query.ts";
import { changeLists } from "../../store/change_lists.ts";
import { countAllCovers } from "../../store/covers.ts";
import { rowKeyOf } from "../../store/entries.ts";
import { tables } from "../../store/tables.ts";
import type { OpenEpoch } from "../epoch.ts";
import { EntryList } from "./entry_list.ts";
import type { PlannedRemoval } from "./plan.ts";

// A page comes as one text, `[[id, table, size]…]`: a row for each takes three times as long.
const planned = query((p: { after: number; limit: number }) =>
  tables.selectFrom(
    tables.selectFrom("entries").select(["id", "tbl"]).select((e) => e.fn<number>("length", ["plaintext"]).as("size"))
      .where("id", ">", p.after)
      .orderBy("id").limit(p.limit).as("page"),
  ).select(sql<string>`json_group_array(json_array(id, tbl, size))`.as("entries"))
);
/** Entries planned with at once. */
const PLAN_ROWS = 2_000;
const differing = (epoch: number) =>
  tables.selectFrom("changed")
    .leftJoin("entries", "entries.content_key", "changed.content_key")
    .leftJoin(
      "placed",
      (join) => join.onRef("placed.content_key", "=", "changed.content_key").on("placed.epoch", "=", epoch),
    )
    .where((e) => e("entries.content_hash", "is distinct from", e.ref("placed.content_hash")));
const changes = query((p: { epoch: number }) =>
  differing(p.epoch).select([
    ...["changed.content_key as content_key", "changed.kind as kind", "changed.name as name"] as const,
    ...["changed.name_is_text as name_is_text", "changed.number as number"] as const,
    ...["entries.id as id", "entries.tbl as tbl", "placed.content_hash as placed"] as const,
  ]).select((e) => e.fn<number | null>("length", ["entries.plaintext"]).as("size")).orderBy("changed.content_key")
);
const byKind = query((p: { epoch: number }) =>
  differing(p.epoch).select([
    "changed.kind as kind",
    sql<number>`count(*) FILTER (WHERE entries.id IS NOT NULL AND placed.content_hash IS NULL)`.as("fresh"),
    sql<number>`count(*) FILTER (WHERE entries.id IS NOT NULL AND placed.content_hash IS NOT NULL)`.as("replaced"),
    sql<number>`count(*) FILTER (WHERE entries.id IS NULL)`.as("gone"),
  ]).groupBy("changed.kind")
);
const countChanges = query((p: { epoch: number }) =>
  differing(p.epoch).select((e) => e.fn.countAll<number>().as("count"))
);
const forget = query((p: { version: number }) => tables.deleteFrom("changed").where("version", "<=", p.version));
// The id is given out once, so there are never more than the highest; to count them all takes as long as there are many.
const boundEntries = query((p: { exact: number }) =>
  tables.selectNoFrom((e) =>
    e.case()
      .when(e.selectFrom("entries").select("id").orderBy("id").limit(1).offset(p.exact), "is not", null)
      .then(e.selectFrom("entries").select((m) => m.fn.max<number>("id").as("id")))
      .else(e.selectFrom("entries").select((m) => m.fn.countAll<number>().as("count")))
      .end().$notNull().as("bound")
  )
);
const countEntries = compile(tables.selectFrom("entries").select((e) => e.fn.countAll<number>().as("count")));
// Everything that is bytes but the name comes as one value: each more costs a tenth of the row.
const byIds = query((p: { ids: string }) =>
  tables.selectFrom("entries").select(["id", "tbl", "kind", "name", "name_is_text", "number"])
    .select(sql<Bytes>`CAST(content_key || content_hash || plaintext AS BLOB)`.as("bytes"))
    .where("id", "in", sql<number>`(SELECT value FROM json_each(${p.ids}))`)
);
const CONTENT_KEY_BYTES = 40;
const PLAINTEXT_AT = CONTENT_KEY_BYTES + 32;

/** What a delta sends. */
export interface Changes {
  readonly entries: EntryList;
  readonly removals: readonly PlannedRemoval[];
  /** How many of the removals make room for one of the entries. */
  readonly replaced: number;
}

/** All entries, for a full push. What comes or goes while they are read may be among them or not; the next push settles it. */
export async function allEntries(db: Database): Promise<Changes> {
  const entries = new EntryList();
  for (let after = 0, found = PLAN_ROWS; found === PLAN_ROWS;) {
    const { rows: [page] } = await db.execute(planned.bind({ after, limit: PLAN_ROWS }));
    const list = JSON.parse(page?.entries ?? "[]") as [id: number, tbl: number, size: number][];
    for (const [id, tbl, size] of list) entries.add(id, tbl, size);
    after = list.at(-1)?.[0] ?? after;
    found = list.length;
  }
  return { entries, removals: [], replaced: 0 };
}

/** What the edge does not hold as it shall; a row that is replaced is both among the entries and among the removals. */
export async function readChanges(db: Database, { row, keys }: OpenEpoch): Promise<Changes> {
  const entries = new EntryList();
  const removals: PlannedRemoval[] = [];
  let replaced = 0;
  for (const change of (await db.execute(changes.bind({ epoch: row.epoch }))).rows) {
    const { id, tbl, size, content_key: contentKey, placed } = change;
    if (id !== null && tbl !== null && size !== null) entries.add(id, tbl, size);
    if (placed !== null) removals.push({ contentKey, ...rowKeyOf(keys, change) });
    if (id !== null && placed !== null) replaced++;
  }
  return { entries, removals, replaced };
}

/** What a delta does to rows of one kind, as far as an edge can count it. */
export interface ChangeCounts {
  readonly fresh: number;
  readonly replaced: number;
  readonly gone: number;
}

/** What the next delta in this epoch would do, by the kind of the entries. */
export async function changesByKind(
  db: Database,
  epoch: number,
): Promise<readonly (ChangeCounts & { kind: string })[]> {
  return (await db.execute(byKind.bind({ epoch }))).rows;
}

/** How many rows the next delta in this epoch would change. */
export async function changeCount(db: Database, epoch: number): Promise<number> {
  return (await db.execute(countChanges.bind({ epoch }))).rows[0]?.count ?? 0;
}

/** Forgets the changes up to a version of the entries: they are placed. */
export function changesPlaced(version: number): Statement<never> {
  return forget.bind({ version });
}

/** How many rows the edge shall hold, cover rows and change lists aside. */
export async function entryCount(db: Database): Promise<number> {
  const all = (await db.execute(countEntries)).rows[0]?.count ?? 0;
  return all - await countOthers(db);
}

/** How many rows the edge shall hold, cover rows and change lists aside, if they are no more than `exact`; else a number that they do not exceed. */
// spec: PUSH-18
export async function entryBound(db: Database, exact: number): Promise<number> {
  const others = await countOthers(db);
  return ((await db.execute(boundEntries.bind({ exact: exact + others }))).rows[0]?.bound ?? others) - others;
}

async function countOthers(db: Database): Promise<number> {
  return await countAllCovers(db) + (await changeLists(db)).length;
}

/** An entry as it is read for sealing. */
export interface EntryRow {
  readonly tbl: number;
  readonly kind: string;
  readonly name: Bytes;
  readonly name_is_text: number;
  readonly number: number;
  readonly contentKey: Bytes;
  readonly contentHash: Bytes;
  readonly plaintext: Bytes;
}

/** Entries by id, whole, in this order; one that was removed meanwhile is missing. */
export async function readEntries(db: Database, ids: readonly number[]): Promise<readonly EntryRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.execute(byIds.bind({ ids: JSON.stringify(ids) }));
  const places = new Map(ids.map((id, place) => [id, place]));
  const inOrder = new Array<EntryRow | undefined>(ids.length);
  for (const { id, bytes, ...row } of rows) {
    // Copies: they outlive the plaintext.
    const contentKey = bytes.slice(0, CONTENT_KEY_BYTES);
    const contentHash = bytes.slice(CONTENT_KEY_BYTES, PLAINTEXT_AT);
    inOrder[places.get(id) ?? 0] = { ...row, contentKey, contentHash, plaintext: bytes.subarray(PLAINTEXT_AT) };
  }
  return inOrder.filter((row) => row !== undefined);
}

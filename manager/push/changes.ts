/** What differs between what the edge shall hold and what it holds. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { PlacedTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import type { PlannedEntry } from "./plan.ts";
import type { EntryRow } from "./seal_rows.ts";

const planned = compile(
  tables.selectFrom("entries").select(["id", "tbl"]).select((e) => e.fn<number>("length", ["plaintext"]).as("size"))
    .orderBy("id"),
);
const changed = query((p: { epoch: number }) =>
  tables.selectFrom("entries").leftJoin(
    "placed",
    (join) => join.onRef("placed.content_key", "=", "entries.content_key").on("placed.epoch", "=", p.epoch),
  ).select(["entries.id as id", "entries.tbl as tbl"])
    .select((e) => e.fn<number>("length", ["entries.plaintext"]).as("size"))
    .where((e) =>
      e.or([
        e("placed.content_key", "is", null),
        e("placed.content_hash", "<>", e.ref("entries.content_hash")),
      ])
    ).orderBy("entries.id")
);
const gone = query((p: { epoch: number }) =>
  tables.selectFrom("placed").selectAll().where("epoch", "=", p.epoch)
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("entries").select("entries.id").whereRef("entries.content_key", "=", "placed.content_key"),
      ))
    )
);
const placedByKey = query((p: { epoch: number; key: Bytes }) =>
  tables.selectFrom("placed").selectAll().where("epoch", "=", p.epoch).where("content_key", "=", p.key).limit(1)
);
const countEntries = compile(tables.selectFrom("entries").select((e) => e.fn.countAll<number>().as("count")));

/** All entries, for a full push. */
export async function allEntries(db: Database): Promise<readonly PlannedEntry[]> {
  return (await db.execute(planned)).rows;
}

/** Entries that the edge does not hold as they are now. */
export async function changedEntries(db: Database, epoch: number): Promise<readonly PlannedEntry[]> {
  return (await db.execute(changed.bind({ epoch }))).rows;
}

/** Rows that the edge holds and shall not. */
export async function goneRows(db: Database, epoch: number): Promise<readonly PlacedTable[]> {
  return (await db.execute(gone.bind({ epoch }))).rows;
}

/** What is placed under a content key, or null. */
export async function placedUnder(db: Database, epoch: number, key: Bytes): Promise<PlacedTable | null> {
  return (await db.execute(placedByKey.bind({ epoch, key }))).rows[0] ?? null;
}

/** How many rows the edge shall hold. */
export async function entryCount(db: Database): Promise<number> {
  return (await db.execute(countEntries)).rows[0]?.count ?? 0;
}

/** Entries by id, whole; one that was removed meanwhile is missing. */
export async function readEntries(db: Database, ids: readonly number[]): Promise<readonly EntryRow[]> {
  if (ids.length === 0) return [];
  return (await db.execute(compile(tables.selectFrom("entries").selectAll().where("id", "in", [...ids])))).rows;
}

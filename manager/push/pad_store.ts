/** Padding a small store before it is re-encrypted, so that an edge cannot count what came and went since the push before (spec: PUSH-19). */
import * as v from "valibot";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { MIN_PADDED_BYTES, paddedLength } from "../../shared/bytes/padding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { decodeAs, uint } from "../../shared/protocol/shapes.ts";
import { TABLES } from "../../shared/protocol/tables.ts";
import { addCover, COVERED, type CoveredTable, coverTable, removeCover } from "../store/covers.ts";
import { findBytes, META, setBytes, unset } from "../store/meta.ts";
import { tables } from "../store/tables.ts";
import { STEP, zerosFor } from "./cover.ts";
import { paddedCount } from "./cover_plan.ts";

const sizes = compile(
  tables.selectFrom("entries").select(["tbl", "kind"]).select((e) => [
    e.fn<number>("length", ["plaintext"]).as("size"),
    e.fn.countAll<number>().as("count"),
  ]).where("tbl", "in", [...COVERED]).groupBy(["tbl", "kind", "size"]),
);
const coversOf = query((p: { tbl: number; least: number; most: number; limit: number }) =>
  tables.selectFrom("covers").innerJoin("entries", "entries.content_key", "covers.content_key")
    .select("covers.content_key as key").where("covers.tbl", "=", p.tbl)
    .where((e) => e.between(e.fn<number>("length", ["entries.plaintext"]), p.least, p.most)).limit(p.limit)
);
const paddedTuple = v.array(v.strictTuple([v.picklist(COVERED), uint, uint]));

/** Rows of a table that the edge cannot tell apart by what it counts. */
interface Group {
  readonly table: CoveredTable;
  /** Padded bytes of their plaintexts. Where the rows of the truth differ by lists anyway, in table 3, all count as of the least. */
  readonly size: number;
  /** How many of the truth. */
  rows: number;
  covers: number;
  /** Lengths of the cover rows' plaintexts. */
  least: number;
  most: number;
}

/**
 * Adds and removes cover rows until each group comes to its number of rows. Nothing changes when nothing changed.
 *
 * @param least rows of the lowest step, above 0
 */
// spec: PUSH-19
export async function padStore(db: Database, least: number, random: RandomBytes): Promise<void> {
  const before = await paddedBefore(db);
  const counts: [CoveredTable, number, number][] = [];
  for (const group of (await groupsOf(db)).values()) {
    const wanted = countFor(group, before.get(keyOf(group.table, group.size)) ?? 0, least);
    if (wanted > 0) counts.push([group.table, group.size, wanted]);
    await setCovers(db, group, wanted - group.rows, random);
  }
  await db.execute(setBytes(META.paddedRows, encodeCbor(counts)));
}

/** Nothing is known of a push before. */
export async function forgetPadding(db: Database): Promise<void> {
  await db.execute(unset(META.paddedRows));
}

function countFor({ table, size, rows }: Group, before: number, least: number): number {
  if (table === TABLES.messages) return size === MIN_PADDED_BYTES ? paddedCount(rows, before, least) : 0;
  // A certificate is two rows. A size that none has any more is not kept for its own sake: it might be a large one.
  return rows === 0 ? 0 : paddedCount(rows, before, Math.ceil(least / 2));
}

async function setCovers(db: Database, group: Group, wanted: number, random: RandomBytes): Promise<void> {
  const { table, size, covers, least, most } = group;
  const make = () => addCover(table, random(16), zerosFor(size - 1));
  for (let left = wanted - covers; left > 0; left -= STEP) {
    await db.batch(Array.from({ length: Math.min(left, STEP) }, make).flat());
  }
  for (let left = covers - wanted; left > 0; left -= STEP) {
    const { rows } = await db.execute(coversOf.bind({ tbl: table, least, most, limit: Math.min(left, STEP) }));
    await db.batch(rows.flatMap(({ key }) => removeCover(table, key)));
  }
}

async function groupsOf(db: Database): Promise<ReadonlyMap<string, Group>> {
  const groups = new Map<string, Group>();
  const groupOf = (table: CoveredTable, size: number) => {
    const group = groups.get(keyOf(table, size)) ?? { table, size, rows: 0, covers: 0, least: Infinity, most: 0 };
    groups.set(keyOf(table, size), group);
    return group;
  };
  groupOf(TABLES.messages, MIN_PADDED_BYTES);
  for (const { tbl, kind, size, count } of (await db.execute(sizes)).rows) {
    const table = COVERED.find((covered) => covered === tbl);
    if (table === undefined) continue;
    if (coverTable(kind) === null) {
      groupOf(table, table === TABLES.messages ? MIN_PADDED_BYTES : paddedLength(size)).rows += count;
      continue;
    }
    const group = groupOf(table, paddedLength(size));
    group.covers += count;
    group.least = Math.min(group.least, size);
    group.most = Math.max(group.most, size);
  }
  return groups;
}

async function paddedBefore(db: Database): Promise<ReadonlyMap<string, number>> {
  const bytes = await findBytes(db, META.paddedRows);
  const counts = bytes === null ? [] : decodeAs(paddedTuple, bytes, "padding of the last push");
  return new Map(counts.map(([table, size, count]) => [keyOf(table, size), count]));
}

function keyOf(table: CoveredTable, size: number): string {
  return `${table} ${size}`;
}

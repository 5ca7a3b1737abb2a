/** Padding a small store before it is re-encrypted, so that an edge cannot count what came and went since the push before (spec: PUSH-19). */
import * as v from "valibot";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { paddedLength } from "../../../shared/bytes/padding.ts";
import type { RandomBytes } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { compile, query } from "../../../shared/database/query.ts";
import { decodeAs, uint } from "../../../shared/protocol/shapes.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import { addCover, COVERED, type CoveredTable, coverKind, coverTable, removeCover } from "../../store/covers.ts";
import { findBytes, META, setBytes, unset } from "../../store/meta.ts";
import { tables } from "../../store/tables.ts";
import { STEP, zerosFor } from "./cover.ts";
import { paddedCount } from "./cover_plan.ts";
import { certificateSize, clearLists, listKey, listSizes, type PaddedList, padLists } from "./pad_lists.ts";

/** Rows in lists of their own. */
const sizes = compile(
  tables.selectFrom("entries").select(["tbl", "kind"]).select((e) => [
    e.fn<number>("length", ["plaintext"]).as("size"),
    e.fn.countAll<number>().as("count"),
  ]).where("kind", "in", ["fingerprint", ...COVERED.map(coverKind)]).groupBy(["tbl", "kind", "size"]),
);
const coversOf = query((p: { tbl: number; kind: string; least: number; most: number; limit: number }) =>
  tables.selectFrom("covers").innerJoin("entries", "entries.content_key", "covers.content_key")
    .select("covers.content_key as key").where("covers.tbl", "=", p.tbl).where("entries.kind", "=", p.kind)
    .where((e) => e.between(e.fn<number>("length", ["entries.plaintext"]), p.least, p.most)).limit(p.limit)
);
/** Kinds of rows of the table of certificates that are lists of their own. */
const ALONE: ReadonlySet<string> = new Set(["fingerprint", coverKind(TABLES.certificates)]);
const paddedTuple = v.array(v.strictTuple([v.picklist(COVERED), uint, uint]));

/** Rows of a table that the edge cannot tell apart by what it counts. */
interface Group {
  readonly table: CoveredTable;
  /** Padded bytes of their plaintexts. */
  readonly size: number;
  /** How many of the truth, and with them cover rows among the rows of lists. */
  rows: number;
  /** How many cover rows in lists of their own. */
  covers: number;
  /** Lengths of the cover rows' plaintexts. */
  least: number;
  most: number;
}

/**
 * Adds and removes cover rows until lists have lengths, and certificates of each size have numbers, that are steps. Nothing changes when
 * nothing changed.
 *
 * @param least rows of the lowest step, above 0; of half of it where what comes with each list or size would add up
 */
// spec: PUSH-19
export async function padStore(db: Database, least: number, random: RandomBytes): Promise<void> {
  const before = await paddedBefore(db);
  // Before anything of it is there: whoever goes on with deltas has to know.
  if (before === null) await db.execute(setBytes(META.paddedRows, encodeCbor([])));
  const lowest = Math.ceil(least / 2);
  const lists = await padLists(db, lowest);
  const counts: [CoveredTable, number, number][] = [];
  for (const group of (await groupsOf(db, lists)).values()) {
    const { table, size, rows } = group;
    // A size that none has any more is not kept for its own sake: it might be a large one.
    const wanted = rows === 0 ? 0 : paddedCount(rows, before?.get(keyOf(table, size)) ?? 0, lowest);
    if (wanted > 0) counts.push([table, size, wanted]);
    await setCovers(db, group, wanted - rows, random);
  }
  await db.execute(setBytes(META.paddedRows, encodeCbor(counts)));
}

/** To which sizes rows are padded. */
export interface RowSizes {
  /** Padded bytes of an entry's plaintext, 0 for no more than it needs itself. */
  readonly of: (entry: { readonly kind: string; readonly name: Bytes; readonly plaintext: Bytes }) => number;
  /** The most of all lists. */
  readonly most: number;
}

/** Each row as large as it is. */
export const PLAIN_SIZES: RowSizes = { of: () => 0, most: 0 };

/** The sizes of the next full push. */
// spec: PUSH-19, PUSH-20
export async function rowSizes(db: Database): Promise<RowSizes> {
  if (await findBytes(db, META.paddedRows) === null) return PLAIN_SIZES;
  const lists = await listSizes(db);
  return {
    of: ({ kind, name, plaintext }) =>
      lists.get(listKey(kind, name)) ?? (ALONE.has(kind) ? certificateSize(plaintext.length) : 0),
    most: [...lists.values()].reduce((a, b) => Math.max(a, b), 0),
  };
}

/** Leaves nothing of it among the rows of lists: deltas put rows into the places that it fills. The rest is cover as good as any. */
export async function clearPadding(db: Database): Promise<void> {
  if (await findBytes(db, META.paddedRows) === null) return;
  await clearLists(db);
  await db.execute(unset(META.paddedRows));
}

async function setCovers(db: Database, group: Group, wanted: number, random: RandomBytes): Promise<void> {
  const { table, size, covers, least, most } = group;
  const make = () => addCover(table, random(16), zerosFor(size - 1));
  for (let left = wanted - covers; left > 0; left -= STEP) {
    await db.batch(Array.from({ length: Math.min(left, STEP) }, make).flat());
  }
  for (let left = covers - wanted; left > 0; left -= STEP) {
    const { rows } = await db.execute(
      coversOf.bind({ tbl: table, kind: coverKind(table), least, most, limit: Math.min(left, STEP) }),
    );
    await db.batch(rows.flatMap(({ key }) => removeCover(table, key)));
  }
}

/** Certificates by size. In the table of messages all stand in lists, and cover rows outside of them are of no use. */
async function groupsOf(db: Database, lists: readonly PaddedList[]): Promise<ReadonlyMap<string, Group>> {
  const groups = new Map<string, Group>();
  const groupOf = (table: CoveredTable, size: number) => {
    const group = groups.get(keyOf(table, size)) ?? { table, size, rows: 0, covers: 0, least: Infinity, most: 0 };
    groups.set(keyOf(table, size), group);
    return group;
  };
  for (const { kind, rows, size } of lists) if (kind === "subject") groupOf(TABLES.certificates, size).rows += rows;
  for (const { tbl, kind, size, count } of (await db.execute(sizes)).rows) {
    const table = COVERED.find((covered) => covered === tbl);
    if (table === undefined) continue;
    const group = groupOf(table, ALONE.has(kind) ? certificateSize(size) : paddedLength(size));
    if (coverTable(kind) === null) {
      group.rows += count;
      continue;
    }
    group.covers += count;
    group.least = Math.min(group.least, size);
    group.most = Math.max(group.most, size);
  }
  return groups;
}

async function paddedBefore(db: Database): Promise<ReadonlyMap<string, number> | null> {
  const bytes = await findBytes(db, META.paddedRows);
  if (bytes === null) return null;
  const counts = decodeAs(paddedTuple, bytes, "padding of the last push");
  return new Map(counts.map(([table, size, count]) => [keyOf(table, size), count]));
}

function keyOf(table: CoveredTable, size: number): string {
  return `${table} ${size}`;
}

/** Filling deltas with cover rows, so that their counts say little of what changed (spec: PUSH-16, PUSH-17). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { paddedLength } from "../../../shared/bytes/padding.ts";
import type { RandomBytes } from "../../../shared/crypto/random.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { compile, query } from "../../../shared/database/query.ts";
import { encodeCover } from "../../../shared/protocol/records.ts";
import { LIST_TABLE, type ListKind, TABLES } from "../../../shared/protocol/tables.ts";
import {
  addCover,
  countCovers,
  COVERED,
  type CoveredTable,
  coverTable,
  removeCover,
  replaceCover,
} from "../../store/covers.ts";
import { tables } from "../../store/tables.ts";
import { type ChangeCounts, changesByKind } from "./changes.ts";
import { fullStockOf, planCover, stockOf } from "./cover_plan.ts";

/** Entries whose sizes are looked at. */
const SAMPLE = 256;
/** Cover rows made or removed in one transaction. */
export const STEP = 250;
/** Everything of a cover row's plaintext but its zero bytes, at most, with the mark of the padding. */
const COVER_OVERHEAD = 13;

const sample = query((p: { from: Bytes; limit: number }) =>
  tables.selectFrom("entries").select(["tbl", "kind"]).select((e) => e.fn<number>("length", ["plaintext"]).as("size"))
    .where("content_key", ">=", p.from).orderBy("content_key").limit(p.limit)
);
const coversFrom = query((p: { tbl: number; from: Bytes; limit: number }) =>
  tables.selectFrom("covers").innerJoin("entries", "entries.content_key", "covers.content_key")
    .select(["covers.content_key as key"]).select((e) => e.fn<number>("length", ["entries.plaintext"]).as("size"))
    .where("covers.tbl", "=", p.tbl).where("covers.content_key", ">=", p.from)
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("changed").select("changed.content_key").whereRef(
          "changed.content_key",
          "=",
          "covers.content_key",
        ),
      ))
    )
    .orderBy("covers.content_key").limit(p.limit)
);
const coversOf = query((p: { tbl: number; limit: number }) =>
  tables.selectFrom("covers").select("content_key as key").where("tbl", "=", p.tbl).limit(p.limit)
);
const certificateRows = compile(tables.selectFrom("certificates").select(sql<number>`2 * count(*)`.as("count")));
const messageRows = compile(tables.selectFrom("messages").select((e) => e.fn.countAll<number>().as("count")));

const entriesIn = query((p: { tbl: number }) =>
  tables.selectFrom("entries").select((e) => e.fn.countAll<number>().as("count")).where("tbl", "=", p.tbl)
);

/** A cover row that is there. */
interface Cover {
  readonly key: Bytes;
  /** Bytes of its plaintext. */
  readonly size: number;
}

/**
 * Adds, replaces and removes cover rows until what the next delta does to each table comes to a step. What it added for a delta that was
 * not pushed counts for the next one.
 *
 * @param least rows of the lowest step; 0 does nothing
 */
// spec: PUSH-16
export async function coverDelta(db: Database, epoch: number, least: number, random: RandomBytes): Promise<void> {
  if (least === 0) return;
  const pending = await changesByKind(db, epoch);
  for (const table of COVERED) {
    const stock = await countCovers(db, table);
    const changes = sum(pending.filter(({ kind }) => tableOf(kind) === table));
    const target = stockOf(await rowsOf(db, table), least);
    const { fresh, replaced, gone } = planCover({
      changes,
      stock,
      target,
      least,
      replaces: table === TABLES.certificates,
    });
    const sizes = await sizesIn(db, table, random);
    const found = await randomCovers(db, table, gone + replaced, random);
    await inSteps(db, [
      ...Array.from({ length: fresh }, () => addCover(table, random(16), zerosFor(pick(sizes, random)))),
      ...found.slice(0, gone).map(({ key }) => removeCover(table, key)),
      ...found.slice(gone).map(({ key, size }) => [replaceCover(key, otherZeros(size))]),
    ]);
  }
}

/**
 * Sets the stock of cover rows before a full push that deltas are to follow.
 *
 * @param least as of {@link coverDelta}; 0 removes all
 */
// spec: PUSH-17, PUSH-19
export async function stockCovers(db: Database, least: number, random: RandomBytes): Promise<void> {
  for (const table of COVERED) {
    const covers = await countCovers(db, table);
    const rows = (await db.execute(entriesIn.bind({ tbl: table }))).rows[0]?.count ?? 0;
    const missing = (least === 0 ? 0 : fullStockOf(rows - covers, least)) - covers;
    if (missing > 0) {
      const sizes = await sizesIn(db, table, random);
      const make = () => addCover(table, random(16), zerosFor(pick(sizes, random)));
      for (let left = missing; left > 0; left -= STEP) {
        await db.batch(Array.from({ length: Math.min(left, STEP) }, make).flat());
      }
    }
    for (let left = -missing; left > 0; left -= STEP) {
      const { rows } = await db.execute(coversOf.bind({ tbl: table, limit: Math.min(left, STEP) }));
      await db.batch(rows.flatMap(({ key }) => removeCover(table, key)));
    }
  }
}

async function inSteps(db: Database, changes: readonly Statement<never>[][]): Promise<void> {
  for (let at = 0; at < changes.length; at += STEP) await db.batch(changes.slice(at, at + STEP).flat());
}

function tableOf(kind: string): number {
  return coverTable(kind) ?? LIST_TABLE[kind as ListKind];
}

function sum(counts: readonly ChangeCounts[]): ChangeCounts {
  const of = (name: keyof ChangeCounts) => counts.reduce((total, one) => total + one[name], 0);
  return { fresh: of("fresh"), replaced: of("replaced"), gone: of("gone") };
}

/** About how many rows a table has, cover aside: to count them all would make a delta as long as the store is large. */
async function rowsOf(db: Database, table: CoveredTable): Promise<number> {
  const statement = table === TABLES.certificates ? certificateRows : messageRows;
  return (await db.execute(statement)).rows[0]?.count ?? 0;
}

/**
 * Plaintext sizes of some of a table's rows. Content keys are hashes, so those from a random one on are rows at random. Parts of large
 * messages would make covers dear.
 */
async function sizesIn(db: Database, table: CoveredTable, random: RandomBytes): Promise<number[]> {
  const { rows } = await db.execute(sample.bind({ from: random(32), limit: SAMPLE }));
  const { rows: first } = rows.length >= SAMPLE
    ? { rows: [] }
    : await db.execute(sample.bind({ from: new Uint8Array(0), limit: SAMPLE - rows.length }));
  return [...rows, ...first].filter(({ tbl, kind }) => tbl === table && kind !== "message" && coverTable(kind) === null)
    .map(({ size }) => size);
}

/** Cover rows that the edge holds as they are, from a random one on. */
async function randomCovers(db: Database, tbl: CoveredTable, count: number, random: RandomBytes): Promise<Cover[]> {
  if (count === 0) return [];
  const { rows } = await db.execute(coversFrom.bind({ tbl, from: random(32), limit: count }));
  const { rows: first } = await db.execute(coversFrom.bind({ tbl, from: new Uint8Array(0), limit: count }));
  const known = new Set(rows.map(({ key }) => key.join()));
  const found = [...rows, ...first.filter(({ key }) => !known.has(key.join()))].slice(0, count);
  // A plain cut would make those next to each other share a fate.
  return found.map((cover) => ({ cover, order: numberFrom(random) })).sort((a, b) => a.order - b.order)
    .map(({ cover }) => cover);
}

/** How many zero bytes a cover row has that is padded as a plaintext of this size is. */
export function zerosFor(size: number): number {
  return paddedLength(size) - COVER_OVERHEAD;
}

/** Another number of zero bytes than a cover row of this size has, padded alike. */
function otherZeros(size: number): number {
  const zeros = zerosFor(size);
  return encodeCover(zeros).length === size ? zeros - 1 : zeros;
}

function pick(sizes: readonly number[], random: RandomBytes): number {
  return sizes.length === 0 ? 0 : sizes[numberFrom(random) % sizes.length] ?? 0;
}

function numberFrom(random: RandomBytes): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

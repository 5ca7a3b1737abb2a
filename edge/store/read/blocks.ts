/** The blocks that a proof is made of, from the database (shared/spec/tree.md). */
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { template, templateOfOne } from "../builder.ts";
import { BLOCKS } from "../schema.ts";
import { MAX_PAGE_BYTES } from "./page.ts";
import type { Direction } from "./rows.ts";

/** A place in a table as of a generation that is served. */
export type At = {
  readonly owner: Bytes;
  readonly space: number;
  readonly generation: number;
  readonly table: number;
};

const blocks = sql.lit(BLOCKS);

/** A block whose path is, or begins with, what was asked for; or else the next one. */
export const selectBlock = templateOfOne<At & { readonly beginning: Bytes }, { token: Bytes; body: Bytes }>((p) =>
  sql`SELECT r.token, r.body FROM owners o
    CROSS JOIN rows r ON r.owner = o.no AND r.space = ${p.space} AND r.tbl = ${p.table} + ${blocks}
      AND r.token >= ${p.beginning} AND r.born <= ${p.generation} AND r.died > ${p.generation}
    WHERE o.id = ${p.owner} ORDER BY r.token LIMIT 1`
);

/** A key in two parts; null where there is no row. */
interface Neighbour {
  readonly token: Bytes | null;
  readonly number: number | null;
}

/** The last row before a place, or the first one from a place on, in the order of keys. */
const nextTo = (
  me: RawBuilder<unknown>,
  table: RawBuilder<unknown>,
  side: "before" | "after",
  place: RawBuilder<unknown>,
) => {
  const order = sql.raw(side === "before" ? "DESC" : "ASC");
  return sql`SELECT r.token, r.number FROM ${me} CROSS JOIN rows r ON r.owner = me.no AND r.space = me.space
      AND r.tbl = ${table} AND (r.token, r.number) ${sql.raw(side === "before" ? "<" : ">=")} ${place}
      AND r.born <= me.generation AND r.died > me.generation
    ORDER BY r.token ${order}, r.number ${order} LIMIT 1`;
};

/** The neighbours of a range: below `low`, and from `high` on. */
export const selectNeighbours = template<
  At & { readonly token: Bytes; readonly low: number; readonly high: number },
  Neighbour
>((p) =>
  sql`WITH me AS (SELECT o.no, ${p.space} AS space, ${p.generation} AS generation FROM owners o WHERE o.id = ${p.owner})
    SELECT * FROM (${nextTo(sql`me`, sql`${p.table}`, "before", sql`(${p.token}, ${p.low})`)})
    UNION ALL
    SELECT * FROM (${nextTo(sql`me`, sql`${p.table}`, "after", sql`(${p.token}, ${p.high})`)})`
);

type Values = {
  readonly owner: Bytes;
  readonly epoch: number;
  readonly now: number;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly limit: number;
  /** Where the neighbours are looked for: below, and from there on. */
  readonly low: number;
  readonly high: number;
};

/** A neighbour by its key, or a block by its path. */
export interface BlockLine extends Neighbour {
  readonly body: Bytes | null;
}

const ORDER = { from: sql.raw("ASC"), before: sql.raw("DESC") } as const;
const COMPARE = { from: sql.raw(">="), before: sql.raw("<") } as const;

/**
 * The neighbours of a range of a list, the blocks on the ways to them and to the first and the last row shown, and the blocks between these
 * two: everything at once, where each question is a round trip.
 *
 * A key's way leads from each block to the first one whose path begins with one more digit of the key.
 */
const selectBlocksIn = (direction: Direction) =>
  template<Values, BlockLine>((p) =>
    sql`WITH RECURSIVE me AS (
        SELECT o.no, g.space, g.generation FROM owners o
        JOIN generations g ON g.owner = o.no AND g.generation = iif(o.epoch = ${p.epoch}, o.generation,
          (SELECT MAX(h.generation) FROM generations h
            WHERE h.owner = o.no AND h.epoch = ${p.epoch} AND h.until > ${p.now}))
        WHERE o.id = ${p.owner}
      ), shown AS (
        SELECT number FROM (
          SELECT number, size, SUM(size) OVER (ORDER BY number ${ORDER[direction]} ROWS UNBOUNDED PRECEDING) AS total
          FROM (
            SELECT r.number, r.size FROM me CROSS JOIN rows r ON r.owner = me.no AND r.space = me.space
              AND r.tbl = ${p.table} AND r.token = ${p.token} AND r.number ${COMPARE[direction]} ${p.number}
              AND r.born <= me.generation AND r.died > me.generation
            ORDER BY r.number ${ORDER[direction]} LIMIT ${p.limit}
          )
        ) x WHERE total <= max(${sql.lit(MAX_PAGE_BYTES)}, size)
      ), ends AS (
        SELECT MIN(number) AS first, MAX(number) AS last FROM shown
      ), neighbours AS (
        SELECT * FROM (${nextTo(sql`me`, sql`${p.table}`, "before", sql`(${p.token}, ${p.low})`)})
        UNION ALL
        SELECT * FROM (${nextTo(sql`me`, sql`${p.table}`, "after", sql`(${p.token}, ${p.high})`)})
      ), keys AS (
        SELECT ${keyText(sql`token`, sql`number`)} AS key FROM neighbours
        UNION SELECT ${keyText(sql`${p.token}`, sql`first`)} FROM ends WHERE first IS NOT NULL
        UNION SELECT ${keyText(sql`${p.token}`, sql`last`)} FROM ends WHERE first IS NOT NULL
        UNION SELECT ''
      ), ways AS (
        SELECT key, (${firstFrom(p, sql`x''`)}) AS id FROM keys
        UNION ALL
        SELECT w.key, (${firstFrom(p, sql`CAST(substr(w.key, 1, length(b.token) + 1) AS BLOB)`)})
        FROM ways w CROSS JOIN rows b ON b.id = w.id
        WHERE length(b.token) < length(w.key) AND b.token = CAST(substr(w.key, 1, length(b.token)) AS BLOB)
      )
      SELECT token, number, NULL AS body FROM neighbours
      UNION ALL
      SELECT r.token, NULL, r.body FROM (
        SELECT id FROM ways WHERE id IS NOT NULL
        UNION
        SELECT r.id FROM ends CROSS JOIN me CROSS JOIN rows r ON r.owner = me.no AND r.space = me.space
          AND r.tbl = ${p.table} + ${blocks} AND r.token > CAST(${keyText(sql`${p.token}`, sql`ends.first`)} AS BLOB)
          AND r.token < CAST(${keyText(sql`${p.token}`, sql`ends.last`)} AS BLOB)
          AND r.born <= me.generation AND r.died > me.generation
      ) x CROSS JOIN rows r ON r.id = x.id`
  );

export const selectBlocks = { from: selectBlocksIn("from"), before: selectBlocksIn("before") } as const;

/** A key as the hexadecimal text that paths are beginnings of. */
function keyText(token: RawBuilder<unknown>, number: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`lower(hex(${token})) || printf('%016x', ${number})`;
}

/** The first block from a path on. */
function firstFrom(p: Values, path: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`SELECT r.id FROM me CROSS JOIN rows r ON r.owner = me.no AND r.space = me.space
      AND r.tbl = ${p.table} + ${blocks} AND r.token >= ${path}
      AND r.born <= me.generation AND r.died > me.generation
    ORDER BY r.token LIMIT 1`;
}

/** Lookups: the rows of one list (shared/spec/reading.md). The hottest statement of the edge. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { type Credentials, forBoth } from "../admit.ts";
import { template, templateOfOne } from "../builder.ts";
import { unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import type { Current } from "./head.ts";
import { cutPage, MAX_PAGE_BYTES } from "./page.ts";

/** Which rows of a list: ascending from a number on, or descending from below one. */
export type RowsRequest =
  & {
    readonly table: TableNumber;
    readonly epoch: number;
    readonly token: Bytes;
    /** 1 to 1,000. */
    readonly limit: number;
  }
  & ({ readonly from: number } | { readonly before: number });

export interface RowsAnswer extends Current {
  /** Stored rows. */
  readonly rows: readonly Bytes[];
  readonly more: boolean;
}

/** Where a statement about a list looks. */
export interface Place extends Credentials {
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
}

interface Values extends Place {
  readonly epoch: number;
  readonly now: number;
  readonly limit: number;
}

/** One line for each row found, and a single one with nulls when there is none. */
export interface Line extends Current {
  readonly space: number | null;
  readonly number: number | null;
  readonly body: Bytes | null;
}

/** The first row found at the present generation, and whether there is another one behind it. */
export interface FirstLine extends Line {
  /** 0 or 1. */
  readonly more: number;
}

export type Direction = "from" | "before";
const COMPARE = { from: sql.raw(">="), before: sql.raw("<") } as const;
const ORDER = { from: sql.raw("ASC"), before: sql.raw("DESC") } as const;

/** From a row onwards, without it. */
const BEYOND = { from: sql.raw(">"), before: sql.raw("<") } as const;
/** From a row back to where the list was entered. */
const BACKWARDS = { from: sql.raw("<="), before: sql.raw(">=") } as const;

/**
 * Owner, generation and rows asked for. An epoch that has passed is served from its last generation (spec: READ-02).
 */
const found = (p: Values, direction: Direction) =>
  sql`owners o
    LEFT JOIN generations g ON g.owner = o.no AND g.generation = iif(o.epoch = ${p.epoch}, o.generation,
      (SELECT MAX(h.generation) FROM generations h
        WHERE h.owner = o.no AND h.epoch = ${p.epoch} AND h.until > ${p.now}))
    LEFT JOIN rows r ON r.owner = g.owner AND r.space = g.space AND r.tbl = ${p.table} AND r.token = ${p.token}
      AND r.number ${COMPARE[direction]} ${p.number} AND r.born <= g.generation AND r.died > g.generation`;

/** Up to this many rows, sums over those before cost less than a window over all (measured: an eighth of a lookup). */
const SHORT = 100;
/** So small that {@link SHORT} + 1 of them are always within the bound. */
const SMALL_BYTES = Math.floor(MAX_PAGE_BYTES / (SHORT + 1));

const selectShort = (direction: Direction) =>
  forBoth((admitted) =>
    template<Values, Line>((p) =>
      sql`SELECT o.generation, o.epoch, g.space, r.number, CASE WHEN r.size <= ${sql.lit(SMALL_BYTES)}
          OR max(${sql.lit(MAX_PAGE_BYTES)}, r.size) >= (SELECT SUM(s.size) FROM rows s
            WHERE s.owner = r.owner AND s.space = r.space AND s.tbl = r.tbl AND s.token = r.token
              AND s.number ${COMPARE[direction]} ${p.number} AND s.number ${BACKWARDS[direction]} r.number
              AND s.born <= g.generation AND s.died > g.generation)
          THEN r.body END AS body
        FROM ${found(p, direction)} WHERE ${admitted(p)} ORDER BY r.number ${ORDER[direction]} LIMIT ${p.limit}`
    )
  );
// The inner query finds places and sizes; bodies are loaded only for what fits (spec: READ-01).
const selectLong = (direction: Direction) =>
  forBoth((admitted) =>
    template<Values, Line>((p) =>
      sql`SELECT x.generation, x.epoch, x.space, x.number, b.body FROM (
          SELECT *, SUM(size) OVER (ORDER BY number ${ORDER[direction]} ROWS UNBOUNDED PRECEDING) AS total FROM (
            SELECT o.generation, o.epoch, g.space, r.id, r.number, r.size
            FROM ${found(p, direction)} WHERE ${admitted(p)} ORDER BY r.number ${ORDER[direction]} LIMIT ${p.limit}
          )
        ) x
        LEFT JOIN rows b ON b.id = x.id AND x.total <= max(${sql.lit(MAX_PAGE_BYTES)}, x.size)`
    )
  );

// Whoever asks for an epoch that has passed sees that in the answer; without looking for that one this costs a tenth less.
const selectFirst = (direction: Direction) =>
  forBoth((admitted) =>
    templateOfOne<Place, FirstLine>((p) =>
      sql`SELECT o.generation, o.epoch, o.space, r.number, r.body,
          EXISTS (SELECT 1 FROM rows s WHERE s.owner = r.owner AND s.space = r.space AND s.tbl = r.tbl
            AND s.token = r.token AND s.number ${BEYOND[direction]} r.number
            AND s.born <= o.generation AND s.died > o.generation) AS more
        FROM owners o
        LEFT JOIN rows r ON r.owner = o.no AND r.space = o.space AND r.tbl = ${p.table} AND r.token = ${p.token}
          AND r.number ${COMPARE[direction]} ${p.number} AND r.born <= o.generation AND r.died > o.generation
        WHERE ${admitted(p)} ORDER BY r.number ${ORDER[direction]} LIMIT 1`
    )
  );

const SELECT = {
  from: { first: selectFirst("from"), short: selectShort("from"), long: selectLong("from") },
  before: { first: selectFirst("before"), short: selectShort("before"), long: selectLong("before") },
} as const;

/** From which end, and from where, a list is read. */
export function directionOf(request: RowsRequest): { direction: Direction; number: number } {
  return "from" in request
    ? { direction: "from", number: request.from }
    : { direction: "before", number: request.before };
}

/**
 * Asks for the first row of a list alone, at the present generation. Most lists have one row, and the native package takes a third less time for a single one,
 * without the bytes that it never gives back after each list. There a second question costs no round trip.
 */
export function selectFirstRow(principal: Principal, request: RowsRequest): Statement<FirstLine> {
  const { table, token } = request;
  const { direction, number } = directionOf(request);
  return SELECT[direction].first(principal, { table, token, number });
}

/** Asks for a page of a list, and one row more. */
export function selectPage(principal: Principal, request: RowsRequest, now: number): Statement<Line> {
  const { table, epoch, token, limit } = request;
  const { direction, number } = directionOf(request);
  const { short, long } = SELECT[direction];
  const select = limit <= SHORT ? short : long;
  return select(principal, { table, epoch, token, number, now, limit: limit + 1 });
}

/**
 * The rows of a list at the present generation, or at the last one of the epoch before.
 *
 * @throws `unauthorized`; `epoch_gone` (spec: READ-02)
 */
export async function readRows(
  database: Database,
  principal: Principal,
  request: RowsRequest,
  now: number,
): Promise<RowsAnswer> {
  const { limit } = request;
  if (database.kind === "embedded") {
    const { rows: [line] } = await database.execute(selectFirstRow(principal, request));
    if (line === undefined) throw unauthorized();
    const more = line.more === 1;
    if (line.epoch === request.epoch && line.space !== null && (!more || limit === 1)) {
      return answerOf(line, bodies([line]), more);
    }
  }
  const { rows: lines } = await database.execute(selectPage(principal, request, now));
  const { taken, more } = cutPage(lines, limit);
  return answerOf(lines[0], bodies(taken), more);
}

/** @throws `unauthorized`, `epoch_gone` */
export function answerOf(first: Line | undefined, rows: readonly Bytes[], more: boolean): RowsAnswer {
  if (first === undefined) throw unauthorized();
  if (first.space === null) throw epochGone();
  const { generation, epoch, number } = first;
  return number === null ? { generation, epoch, rows: [], more: false } : { generation, epoch, rows, more };
}

/** The bodies of lines that have one. */
export function bodies(lines: readonly { readonly body: Bytes | null }[]): Bytes[] {
  return lines.flatMap(({ body }) => body === null ? [] : [body]);
}

export function epochGone(): PosternError {
  return new PosternError("epoch_gone", "The edge does not keep this epoch or generation any more; fetch the record");
}

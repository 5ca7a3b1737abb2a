/**
 * What leads from one generation to another, so that devices need not fetch everything anew (shared/spec/reading.md).
 */
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { type Credentials, forBoth } from "../admit.ts";
import { template } from "../builder.ts";
import type { Principal } from "../principal.ts";
import { ALIVE } from "../schema.ts";
import { cutPage, MAX_PAGE_BYTES, readCursor } from "./page.ts";
import { bodies } from "./rows.ts";
import { nextKey, requireServed, type TableAnswer, type TableRequest } from "./table.ts";
import type { Current } from "./head.ts";

export interface ChangesRequest extends TableRequest {
  /** The generation that the client has. */
  readonly since: number;
}

export interface ChangesAnswer extends TableAnswer {
  /** Token and number of rows that are there at `since` and not at `at`, in key order. */
  readonly removed: readonly (readonly [Bytes, number])[];
}

interface Values extends Credentials {
  readonly epoch: number;
  readonly since: number;
  readonly at: number;
  readonly now: number;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly limit: number;
}

interface Line extends Current {
  readonly space: number | null;
  /** 1 for a removal, which has no body; null when nothing changed. */
  readonly is_removal: number | null;
  readonly token: Bytes | null;
  readonly number: number | null;
  readonly body: Bytes | null;
}

const samePlace = (other: string): RawBuilder<unknown> => {
  const column = (name: string) => sql.ref(`${other}.${name}`);
  return sql`${column("owner")} = r.owner AND ${column("space")} = r.space AND ${column("tbl")} = r.tbl
    AND ${column("token")} = r.token AND ${column("number")} = r.number`;
};

// A generation is served for at least as long as those before it. Only deltas make changes within an epoch, and two
// small indices hold just what they added and removed. INDEXED BY makes it an error, not a scan of the store, if they
// could not be used.
const selectChanges = forBoth((admitted) =>
  template<Values, Line>((p) => {
    const range = (edge: "born" | "died") =>
      sql`r.owner = me.no AND r.space = me.space AND r.tbl = ${p.table}
        AND ${sql.ref(`r.${edge}`)} > ${p.since} AND ${sql.ref(`r.${edge}`)} <= ${p.at}
        AND (r.token, r.number) > (${p.token}, ${p.number})`;
    return sql`WITH me AS (
        SELECT o.no, o.generation, o.epoch, h.space FROM owners o
        LEFT JOIN generations g
          ON g.owner = o.no AND g.generation = ${p.since} AND g.epoch = ${p.epoch} AND g.until > ${p.now}
        LEFT JOIN generations h
          ON h.owner = g.owner AND h.generation = ${p.at} AND h.space = g.space
        WHERE ${admitted(p)}
      ), changed AS (
        SELECT 0 AS is_removal, r.id, r.token, r.number, r.size FROM me CROSS JOIN rows r INDEXED BY rows_born
        WHERE r.born > 0 AND ${range("born")} AND r.died > ${p.at} AND NOT EXISTS (
          SELECT 1 FROM rows q WHERE ${samePlace("q")} AND q.born <= ${p.since} AND q.died > ${p.since}
            AND q.size = r.size AND q.body = r.body)
        UNION ALL
        SELECT 1, NULL, r.token, r.number, 0 FROM me CROSS JOIN rows r INDEXED BY rows_died
        WHERE r.died < ${sql.lit(ALIVE)} AND ${range("died")} AND r.born <= ${p.since} AND NOT EXISTS (
          SELECT 1 FROM rows q WHERE ${samePlace("q")} AND q.born <= ${p.at} AND q.died > ${p.at})
        ORDER BY 3, 4 LIMIT ${p.limit}
      )
      SELECT me.generation, me.epoch, me.space, x.is_removal, x.token, x.number, b.body FROM me
      LEFT JOIN (
        SELECT *, SUM(size) OVER (ORDER BY token, number ROWS UNBOUNDED PRECEDING) AS total FROM changed
      ) x
      LEFT JOIN rows b ON b.id = x.id AND x.total <= max(${sql.lit(MAX_PAGE_BYTES)}, x.size)`;
  })
);

const NONE: Bytes = new Uint8Array(0);

/**
 * A page of the changes of a table from generation `since` to `at`, both in one epoch and still served (spec: READ-02).
 *
 * @throws as `readTable`; `malformed` when `since` is above `at`
 */
export async function readChanges(
  database: Database,
  principal: Principal,
  { table, epoch, since, at, after, limit }: ChangesRequest,
  now: number,
): Promise<ChangesAnswer> {
  if (since > at) throw new PosternError("malformed", `Changes lead forward, not from ${since} to ${at}`);
  const { token, number } = readCursor(after);
  const values = { table, epoch, since, at, now, token, number, limit: limit + 1 };
  const { rows: lines } = await database.execute(selectChanges(principal, values));
  const current = requireServed(lines[0], at);
  // A removal has no body, but the page is not cut at it.
  const found = lines.filter(({ is_removal }) => is_removal !== null)
    .map((line) => line.is_removal === 1 ? { ...line, body: NONE } : line);
  const page = cutPage(found, limit);
  const removed = page.taken.flatMap(({ is_removal, token, number }) =>
    is_removal === 1 && token !== null && number !== null ? [[token, number] as const] : []
  );
  const rows = bodies(page.taken.filter(({ is_removal }) => is_removal === 0));
  return { ...current, rows, removed, next: nextKey(page) };
}

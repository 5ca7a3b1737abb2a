/** Lookups: the rows of one list (shared/spec/reading.md). The hottest statement of the edge. */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import type { TableNumber } from "../../shared/protocol/tables.ts";
import { type Credentials, forBoth } from "./admit.ts";
import { template } from "./builder.ts";
import { unauthorized } from "./checks.ts";
import type { Principal } from "./principal.ts";
import type { Current } from "./read_head.ts";
import { cutPage, MAX_PAGE_BYTES } from "./read_page.ts";

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

interface Values extends Credentials {
  readonly epoch: number;
  readonly now: number;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly limit: number;
}

/** One line for each row found, and a single one with nulls when there is none. */
interface Line extends Current {
  readonly space: number | null;
  readonly number: number | null;
  readonly body: Bytes | null;
}

// The inner query finds places and sizes; bodies are loaded only for what fits (spec: READ-01). An epoch that has passed is
// served from its last generation (spec: READ-02).
const select = (direction: "from" | "before") => {
  const range = sql.raw(direction === "from" ? ">=" : "<");
  const order = sql.raw(direction === "from" ? "ASC" : "DESC");
  return forBoth((admitted) =>
    template<Values, Line>((p) => {
      const earlier = (column: string) =>
        sql`(SELECT ${sql.ref(column)} FROM generations g
          WHERE g.owner = o.no AND g.epoch = ${p.epoch} AND g.until > ${p.now} ORDER BY g.generation DESC LIMIT 1)`;
      return sql`SELECT x.generation, x.epoch, x.space, x.number, b.body FROM (
          SELECT *, SUM(size) OVER (ORDER BY number ${order} ROWS UNBOUNDED PRECEDING) AS total FROM (
            SELECT me.generation, me.epoch, me.space, r.id, r.number, r.size FROM (
              SELECT o.no, o.generation, o.epoch,
                iif(o.epoch = ${p.epoch}, o.space, ${earlier("g.space")}) AS space,
                iif(o.epoch = ${p.epoch}, o.generation, ${earlier("g.generation")}) AS at
              FROM owners o WHERE ${admitted(p)}
            ) me
            LEFT JOIN rows r ON r.owner = me.no AND r.space = me.space AND r.tbl = ${p.table} AND r.token = ${p.token}
              AND r.number ${range} ${p.number} AND r.born <= me.at AND r.died > me.at
            ORDER BY r.number ${order} LIMIT ${p.limit}
          )
        ) x
        LEFT JOIN rows b ON b.id = x.id AND (x.total <= ${sql.lit(MAX_PAGE_BYTES)} OR x.total = x.size)`;
    })
  );
};

const selectFrom = select("from");
const selectBefore = select("before");

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
  const { table, epoch, token, limit } = request;
  const common = { table, epoch, token, now, limit: limit + 1 };
  const statement = "from" in request
    ? selectFrom(principal, { ...common, number: request.from })
    : selectBefore(principal, { ...common, number: request.before });
  const { rows: lines } = await database.execute(statement);
  const [first] = lines;
  if (first === undefined) throw unauthorized();
  if (first.space === null) throw epochGone();
  const { generation } = first;
  if (first.number === null) return { generation, epoch: first.epoch, rows: [], more: false };
  const { taken, more } = cutPage(lines, limit);
  return { generation, epoch: first.epoch, rows: bodies(taken), more };
}

/** The bodies of lines that have one. */
export function bodies(lines: readonly { readonly body: Bytes | null }[]): Bytes[] {
  return lines.flatMap(({ body }) => body === null ? [] : [body]);
}

export function epochGone(): PosternError {
  return new PosternError("epoch_gone", "The edge does not keep this epoch or generation any more; fetch the record");
}

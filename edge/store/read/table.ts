/** Whole tables, page by page, as of one generation, however many commits happen meanwhile (shared/spec/reading.md). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { type Credentials, forBoth } from "../admit.ts";
import { template } from "../builder.ts";
import { unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import type { Current } from "./head.ts";
import { cutPage, MAX_PAGE_BYTES, type Page, readCursor, type RowCursor } from "./page.ts";
import { bodies, epochGone } from "./rows.ts";

export interface TableRequest {
  readonly table: TableNumber;
  readonly epoch: number;
  /** The generation to read. */
  readonly at: number;
  /** Row key of 40 bytes after which to go on; null at the start. */
  readonly after: Bytes | null;
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface TableAnswer extends Current {
  /** Stored rows in key order. */
  readonly rows: readonly Bytes[];
  /** Row key from which to go on; null at the end. */
  readonly next: Bytes | null;
}

interface Values extends Credentials {
  readonly epoch: number;
  readonly at: number;
  readonly now: number;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly limit: number;
}

interface Line extends Current {
  readonly space: number | null;
  readonly token: Bytes | null;
  readonly number: number | null;
  readonly body: Bytes | null;
}

const selectPage = forBoth((admitted) =>
  template<Values, Line>((p) =>
    sql`SELECT x.generation, x.epoch, x.space, x.token, x.number, b.body FROM (
      SELECT *, SUM(size) OVER (ORDER BY token, number ROWS UNBOUNDED PRECEDING) AS total FROM (
        SELECT o.generation, o.epoch, g.space, r.id, r.token, r.number, r.size
        FROM owners o
        LEFT JOIN generations g
          ON g.owner = o.no AND g.generation = ${p.at} AND g.epoch = ${p.epoch} AND g.until > ${p.now}
        LEFT JOIN rows r ON r.owner = g.owner AND r.space = g.space AND r.tbl = ${p.table}
          AND (r.token, r.number) > (${p.token}, ${p.number}) AND r.born <= g.generation AND r.died > g.generation
        WHERE ${admitted(p)}
        ORDER BY r.token, r.number LIMIT ${p.limit}
      )
    ) x
    LEFT JOIN rows b ON b.id = x.id AND x.total <= max(${sql.lit(MAX_PAGE_BYTES)}, x.size)`
  )
);

/**
 * A page of a table as of a generation that is still served (spec: READ-02, READ-03).
 *
 * @throws `unauthorized`; `epoch_gone` for a generation that is not served any more; `conflict` for one that is not
 * there yet; `malformed` for a row key that is none
 */
export async function readTable(
  database: Database,
  principal: Principal,
  { table, epoch, at, after, limit }: TableRequest,
  now: number,
): Promise<TableAnswer> {
  const { token, number } = readCursor(after);
  const values = { table, epoch, at, now, token, number, limit: limit + 1 };
  const { rows: lines } = await database.execute(selectPage(principal, values));
  const current = requireServed(lines[0], at);
  const page = cutPage(lines.filter((line) => line.token !== null), limit);
  return { ...current, rows: bodies(page.taken), next: nextKey(page) };
}

/** The owner's state in the first line of an answer. @throws as {@link readTable} */
export function requireServed(line: (Current & { readonly space: number | null }) | undefined, at: number): Current {
  if (line === undefined) throw unauthorized();
  const { generation, epoch, space } = line;
  if (at > generation) {
    throw new PosternError("conflict", `The edge holds generation ${generation}; ${at} is not there yet`);
  }
  if (space === null) throw epochGone();
  return { generation, epoch };
}

/** The key of the last entry taken, if there are more. */
export function nextKey(
  { taken, more }: Page<{ readonly [K in keyof RowCursor]: RowCursor[K] | null }>,
): Bytes | null {
  const last = taken.at(-1);
  if (!more || last === undefined || last.token === null || last.number === null) return null;
  return treeKey(last.token, last.number);
}

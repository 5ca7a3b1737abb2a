/** What an open full push has brought, page by page, for the manager alone (spec: PUSH-21). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { template } from "../builder.ts";
import { refusal, unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { PUSH } from "../schema.ts";
import { cutPage, MAX_PAGE_BYTES, readCursor } from "./page.ts";
import { bodies } from "./rows.ts";
import { nextKey, type TableAnswer } from "./table.ts";

export interface PushedRequest {
  /** Of the push. */
  readonly id: Bytes;
  readonly table: TableNumber;
  /** Row key of 40 bytes after which to go on; null at the start. */
  readonly after: Bytes | null;
  /** 1 to 1,000. */
  readonly limit: number;
}

export type PushedAnswer = Pick<TableAnswer, "rows" | "next">;

interface Values extends Credentials {
  readonly id: Bytes;
  readonly table: number;
  readonly token: Bytes;
  readonly number: number;
  readonly limit: number;
}

interface Line {
  /** Null when there is no such push; so are the following. */
  readonly state: number | null;
  readonly touched: number;
  readonly is_full: number;
  readonly token: Bytes | null;
  readonly number: number | null;
  readonly body: Bytes | null;
}

// Everything in the space of an open full push is its own.
const selectPage = template<Values, Line>((p) =>
  sql`SELECT x.state, x.touched, x.is_full, x.token, x.number, b.body FROM (
      SELECT *, SUM(size) OVER (ORDER BY token, number ROWS UNBOUNDED PRECEDING) AS total FROM (
        SELECT q.state, q.touched, q.is_full, r.id, r.token, r.number, r.size
        FROM owners o
        LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id}
        LEFT JOIN rows r ON q.is_full = 1 AND q.state = ${sql.lit(PUSH.open)} AND r.owner = q.owner
          AND r.space = q.space AND r.tbl = ${p.table} AND (r.token, r.number) > (${p.token}, ${p.number})
        WHERE ${managerAdmitted(p)}
        ORDER BY r.token, r.number LIMIT ${p.limit}
      )
    ) x
    LEFT JOIN rows b ON b.id = x.id AND x.total <= max(${sql.lit(MAX_PAGE_BYTES)}, x.size)`
);

/**
 * A page of what a full push brought to a table.
 *
 * @throws `unauthorized`; `not_found`; `conflict` for a delta, and for a push that is over or committed; `malformed` for a row key that
 * is none
 */
export async function readPushed(
  database: Database,
  principal: Principal,
  { id, table, after, limit }: PushedRequest,
  now: number,
): Promise<PushedAnswer> {
  const place = readCursor(after);
  const { rows: lines } = await database.execute(
    selectPage.bind({ ...credentials(principal), id, table, ...place, limit: limit + 1 }),
  );
  requireOpen(lines[0], now);
  const page = cutPage(lines.filter(({ token }) => token !== null), limit);
  return { rows: bodies(page.taken), next: nextKey(page) };
}

function requireOpen(line: Line | undefined, now: number): void {
  if (line === undefined) throw unauthorized();
  const { state, touched, is_full: isFull } = line;
  if (state === null) throw refusal("push_unknown");
  if (state === PUSH.committed) throw refusal("push_committed");
  if (state === PUSH.over || touched <= now - LIMITS.pushIdleMillis) throw refusal("push_over");
  if (isFull === 0) throw new PosternError("conflict", "Only a full push is read before it is committed");
}

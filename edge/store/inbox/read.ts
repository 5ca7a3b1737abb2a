/** Reading the inbox: submissions in order of arrival, and their parts (shared/spec/inbox.md). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { type Credentials, forBoth } from "../admit.ts";
import { template, templateOfOne } from "../builder.ts";
import { unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { cutPage, MAX_PAGE_BYTES } from "../read/page.ts";
import { ALIVE } from "../schema.ts";

export interface InboxAnswer {
  /** Number of arrival and signed submission, ascending. */
  readonly entries: readonly (readonly [arrival: number, signed: Bytes])[];
  /** The number of arrival after which to go on; null at the end. */
  readonly next: number | null;
}

interface Line {
  readonly arrival: number | null;
  readonly body: Bytes | null;
}

const selectEntries = forBoth((admitted) =>
  template<Credentials & { readonly after: number; readonly limit: number }, Line>((p) =>
    sql`SELECT x.arrival, b.body FROM (
      SELECT *, SUM(size) OVER (ORDER BY arrival ROWS UNBOUNDED PRECEDING) AS total FROM (
        SELECT o.no, i.arrival, i.size FROM owners o
        LEFT JOIN inbox i ON i.owner = o.no AND i.arrival > ${p.after} AND i.gone = ${sql.lit(ALIVE)}
        WHERE ${admitted(p)}
        ORDER BY i.arrival LIMIT ${p.limit}
      )
    ) x
    LEFT JOIN inbox_bodies b ON b.owner = x.no AND b.arrival = x.arrival
      AND x.total <= max(${sql.lit(MAX_PAGE_BYTES)}, x.size)`
  )
);

/**
 * Submissions after a number of arrival: to a device as to the manager all (spec: INBOX-06).
 *
 * @param after 0 at the start
 * @param limit 1 to 1,000
 * @throws `unauthorized`
 */
export async function listInbox(
  database: Database,
  principal: Principal,
  after: number,
  limit: number,
): Promise<InboxAnswer> {
  const { rows: lines } = await database.execute(selectEntries(principal, { after, limit: limit + 1 }));
  if (lines.length === 0) throw unauthorized();
  const { taken, more } = cutPage(lines.filter(({ arrival }) => arrival !== null), limit);
  const entries = taken.flatMap(({ arrival, body }) =>
    arrival === null || body === null ? [] : [[arrival, body] as const]
  );
  return { entries, next: more ? entries.at(-1)?.[0] ?? null : null };
}

const selectPart = forBoth((admitted, manager) =>
  templateOfOne<Credentials & { readonly hash: Bytes }, { readonly body: Bytes | null }>((p) =>
    sql`SELECT b.body FROM owners o
      LEFT JOIN inbox_parts a ON a.owner = o.no AND a.hash = ${p.hash}
        ${manager ? sql`` : sql`AND a.device = ${p.device}`}
      LEFT JOIN inbox_part_bodies b ON b.owner = a.owner AND b.device = a.device AND b.hash = a.hash
      WHERE ${admitted(p)} LIMIT 1`
  )
);

/** A part, to the manager or to the device that stored it (spec: INBOX-04). @throws `unauthorized`, `not_found` */
export async function getPart(database: Database, principal: Principal, hash: Bytes): Promise<Bytes> {
  const { rows: [line] } = await database.execute(selectPart(principal, { hash }));
  if (line === undefined) throw unauthorized();
  if (line.body === null) throw new PosternError("not_found", "There is no such part");
  return line.body;
}

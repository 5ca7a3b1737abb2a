/** The two things about sessions that are stored: challenges that were used, and sessions that ended early. */
import { sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { type Credentials, forBoth } from "./admit.ts";
import { db, template } from "./builder.ts";
import { unauthorized } from "./checks.ts";
import type { Principal } from "./principal.ts";

const insertOwner = query((p: { owner: Bytes }) =>
  db.insertInto("owners").values({ id: p.owner }).onConflict((c) => c.column("id").doNothing())
);

// WHERE stands before ON CONFLICT also where it says nothing, or SQLite takes ON for that of a join.
const spend = template<{ owner: Bytes; random: Bytes; expires: number }, never>((p) =>
  sql`INSERT INTO spent_challenges (owner, expires, random)
    SELECT no, ${p.expires}, ${p.random} FROM owners WHERE id = ${p.owner} ON CONFLICT DO NOTHING`
);

/**
 * Records a challenge as spent (spec: SESS-04).
 *
 * @param random what names it among the owner's, 32 bytes
 * @param expires from when on the record may be forgotten, Millis; always the same for one challenge
 * @returns false when it was spent before, or the owner is unknown: then the login fails
 */
export async function spendChallenge(
  database: Database,
  owner: Bytes,
  random: Bytes,
  expires: number,
): Promise<boolean> {
  const { changes } = await database.execute(spend.bind({ owner, random, expires }));
  return changes === 1;
}

/**
 * Like {@link spendChallenge} for a manager whose statement and signature were verified: it also makes the owner
 * known, who has no state before the first commit. The statement is not adopted here but at the commit
 * (spec: SESS-03).
 */
export async function recordManager(
  database: Database,
  owner: Bytes,
  random: Bytes,
  expires: number,
): Promise<boolean> {
  const [, { changes }] = await database.batch([insertOwner.bind({ owner }), spend.bind({ owner, random, expires })]);
  return changes === 1;
}

interface End extends Credentials {
  readonly until: number;
}

const end = forBoth((admitted) =>
  template<End, never>((p) =>
    sql`INSERT INTO ended_sessions (owner, session, expires)
      SELECT o.no, ${p.session}, ${p.until} FROM owners o WHERE ${admitted(p)} ON CONFLICT DO NOTHING`
  )
);

/**
 * Ends a session (spec: SESS-14).
 *
 * @param expires when it would have ended by itself, Millis; the end is remembered until then
 * @throws `unauthorized` when it had ended before
 */
export async function endSession(database: Database, principal: Principal, expires: number): Promise<void> {
  const { changes } = await database.execute(end(principal, { until: expires }), { idempotent: false });
  if (changes === 0) throw unauthorized();
}

/** What there is of a push, and ending one without committing it. */
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { fromFlag } from "../../../shared/database/query.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { template, templateOfOne } from "../builder.ts";
import { check, failedCheck, refusal, unauthorized } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { PUSH, SPACE } from "../schema.ts";
import { broughtNothing } from "./undo.ts";

/** Chunk numbers that are there, both ends included. */
export interface ChunkRange {
  readonly first: number;
  readonly last: number;
}

/** What a push is to be, as the manager asks for it. */
export interface PushBody {
  /** 16 random bytes. */
  readonly id: Bytes;
  /** The generation it builds on; 0 when the edge holds none. */
  readonly base: number;
  readonly epoch: number;
  readonly incarnation: Bytes;
  /** It replaces everything, in a new epoch. */
  readonly full: boolean;
  readonly chunks: number;
}

/** The open push of an owner. */
export interface PushState extends PushBody {
  readonly received: readonly ChunkRange[];
}

/** That the row `q` of `pushes` is open and was touched after the time `stale` (spec: PUSH-08). */
export function openPush(stale: number): RawBuilder<unknown> {
  return sql`q.state = ${sql.lit(PUSH.open)} AND q.touched > ${stale}`;
}

/** Why a push that must be open cannot be used, as the branches of a CASE over `q`, which is null if there is none. */
export function notOpen(stale: number): RawBuilder<unknown> {
  return sql`WHEN q.state IS NULL THEN 'push_unknown'
    WHEN q.state = ${sql.lit(PUSH.committed)} THEN 'push_committed'
    WHEN NOT (${openPush(stale)}) THEN 'push_over'`;
}

/** Received chunks as ranges: within one, chunk number and rank differ by the same. */
export const selectReceived = template<{ owner: Bytes; id: Bytes }, ChunkRange>((p) =>
  sql`SELECT MIN(n) AS first, MAX(n) AS last FROM (
      SELECT c.n, c.n - ROW_NUMBER() OVER (ORDER BY c.n) AS island
      FROM owners o JOIN push_chunks c ON c.owner = o.no AND c.push = ${p.id} WHERE o.id = ${p.owner})
    GROUP BY island ORDER BY 1`
);

interface PushLine {
  readonly id: Bytes | null;
  readonly base: number;
  readonly epoch: number;
  readonly incarnation: Bytes;
  readonly is_full: number;
  readonly chunks: number;
}

const selectOpen = templateOfOne<Credentials & { stale: number }, PushLine>((p) =>
  sql`SELECT q.id, q.base, q.epoch, q.incarnation, q.is_full, q.chunks
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND ${openPush(p.stale)}
    WHERE ${managerAdmitted(p)} LIMIT 1`
);
const selectOpenChunks = template<{ owner: Bytes; stale: number }, ChunkRange>((p) =>
  sql`SELECT MIN(n) AS first, MAX(n) AS last FROM (
      SELECT c.n, c.n - ROW_NUMBER() OVER (ORDER BY c.n) AS island
      FROM owners o JOIN pushes q ON q.owner = o.no AND ${openPush(p.stale)}
      JOIN push_chunks c ON c.owner = q.owner AND c.push = q.id WHERE o.id = ${p.owner})
    GROUP BY island ORDER BY 1`
);

/** The open push, or null. @throws `unauthorized` */
export async function readPush(database: Database, principal: Principal, now: number): Promise<PushState | null> {
  const stale = now - LIMITS.pushIdleMillis;
  const [{ rows: [line] }, { rows: ranges }] = await database.batch([
    selectOpen.bind({ ...credentials(principal), stale }),
    selectOpenChunks.bind({ owner: principal.owner, stale }),
  ]);
  if (line === undefined) throw unauthorized();
  const { id, base, epoch, incarnation, is_full, chunks } = line;
  if (id === null) return null;
  return { id, base, epoch, incarnation, full: fromFlag(is_full), chunks, received: ranges };
}

interface Ending extends Credentials {
  readonly id: Bytes;
}

const mayAbort = check<Ending>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' ELSE (
    SELECT CASE WHEN q.state IS NULL THEN 'push_unknown'
      WHEN q.state = ${sql.lit(PUSH.committed)} THEN 'push_committed' END
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id} WHERE o.id = ${p.owner}) END`
);
const leaveSpace = template<{ owner: Bytes; id: Bytes }, never>((p) =>
  sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)} WHERE owner = (SELECT no FROM owners WHERE id = ${p.owner})
    AND state = ${sql.lit(SPACE.building)} AND push = ${p.id}`
);
const discard = template<{ owner: Bytes; id: Bytes; now: number }, never>((p) =>
  sql`UPDATE pushes
    SET state = ${sql.lit(PUSH.over)}, touched = ${p.now}, is_undone = (is_undone OR ${broughtNothing})
    WHERE owner = (SELECT no FROM owners WHERE id = ${p.owner}) AND id = ${p.id} AND state = ${sql.lit(PUSH.open)}`
);

/**
 * Gives a push up; one that was given up before stays so. What it brought is deleted in steps, later.
 *
 * @throws `unauthorized`; `not_found`; `conflict` when it was committed
 */
export async function abortPush(database: Database, principal: Principal, id: Bytes, now: number): Promise<void> {
  const { owner } = principal;
  try {
    await database.batch([
      mayAbort.bind({ ...credentials(principal), id }),
      leaveSpace.bind({ owner, id }),
      discard.bind({ owner, id, now }),
    ], { idempotent: true });
  } catch (error) {
    const reason = failedCheck(error);
    throw reason === undefined ? error : refusal(reason, error);
  }
}

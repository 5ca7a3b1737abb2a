/** Beginning a push (spec: PUSH-01). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { toFlag } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Credentials, credentials, managerAdmitted } from "../admit.ts";
import { template } from "../builder.ts";
import { check, failedCheck, refusal } from "../checks.ts";
import type { Principal } from "../principal.ts";
import { PUSH, SPACE } from "../schema.ts";
import { type ChunkRange, openPush, type PushBody, selectReceived } from "./state.ts";
import { broughtNothing, findRemnants, undoStep } from "./undo.ts";

interface Values extends Credentials {
  readonly id: Bytes;
  readonly base: number;
  readonly epoch: number;
  readonly incarnation: Bytes;
  readonly full: number;
  readonly chunks: number;
  readonly now: number;
  /** A push that was last touched before or at this time is discarded. */
  readonly stale: number;
  /** Pushes that were given up after this time are remembered. */
  readonly remembered: number;
}

const open = sql.lit(PUSH.open);
const over = sql.lit(PUSH.over);
const mostGivenUp = sql.lit(LIMITS.maxPushesGivenUp);

const mayBegin = check<Values>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' ELSE (
    SELECT CASE
      WHEN q.state = ${sql.lit(PUSH.committed)} THEN 'push_committed'
      WHEN q.state IS NOT NULL AND NOT (${openPush(p.stale)}) THEN 'push_over'
      WHEN q.state IS NOT NULL AND NOT (q.base = ${p.base} AND q.epoch = ${p.epoch} AND q.incarnation = ${p.incarnation}
        AND q.is_full = ${p.full} AND q.chunks = ${p.chunks}) THEN 'push_differs'
      WHEN o.generation <> ${p.base} THEN 'base'
      WHEN ${p.full} = 1 AND ${p.epoch} <= o.epoch THEN 'base'
      WHEN ${p.full} = 0 AND (o.space IS NULL OR ${p.epoch} <> o.epoch OR ${p.incarnation} <> o.incarnation) THEN 'base'
      WHEN q.state IS NULL AND (SELECT COUNT(*) FROM pushes past WHERE past.owner = o.no
        AND past.state = ${over} AND past.touched > ${p.remembered}) >= ${mostGivenUp} THEN 'too_many_pushes'
      WHEN ${p.full} = 0 AND EXISTS (SELECT 1 FROM pushes past WHERE past.owner = o.no AND past.id <> ${p.id}
        AND past.is_undone = 0 AND past.space = o.space
        AND (past.state = ${over} OR (past.state = ${open} AND (past.received > 0 OR past.nodes > 0))))
        THEN 'remnants'
    END
    FROM owners o LEFT JOIN pushes q ON q.owner = o.no AND q.id = ${p.id} WHERE o.id = ${p.owner}) END`
);

const admitted = check<Credentials>((p) =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM owners o WHERE ${managerAdmitted(p)}) THEN 'unauthorized' END`
);

const ownerNo = (p: { owner: Bytes }) => sql`(SELECT no FROM owners WHERE id = ${p.owner})`;

interface Other extends Record<string, Bytes | number> {
  readonly owner: Bytes;
  readonly id: Bytes;
  readonly now: number;
}

const leaveOtherSpaces = template<Other, never>((p) =>
  sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)}
    WHERE owner = ${ownerNo(p)} AND state = ${sql.lit(SPACE.building)} AND push <> ${p.id}`
);
// A push that brought nothing yet leaves nothing to undo.
const discardOthers = template<Other, never>((p) =>
  sql`UPDATE pushes SET state = ${over}, touched = ${p.now}, is_undone = (is_undone OR ${broughtNothing})
    WHERE owner = ${ownerNo(p)} AND state = ${open} AND id <> ${p.id}`
);
const insertSpace = template<Values, never>((p) =>
  sql`INSERT INTO spaces (owner, push, state) SELECT o.no, ${p.id}, ${sql.lit(SPACE.building)} FROM owners o
    WHERE o.id = ${p.owner} AND ${p.full} = 1
      AND NOT EXISTS (SELECT 1 FROM pushes q WHERE q.owner = o.no AND q.id = ${p.id})`
);
const insertPush = template<Values, never>((p) =>
  sql`INSERT INTO pushes (owner, id, state, base, epoch, incarnation, is_full, chunks, space, stamp, touched, is_undone)
    SELECT o.no, ${p.id}, ${open}, ${p.base}, ${p.epoch}, ${p.incarnation}, ${p.full}, ${p.chunks},
      iif(${p.full} = 1, (SELECT s.no FROM spaces s
        WHERE s.owner = o.no AND s.push = ${p.id} AND s.state = ${sql.lit(SPACE.building)}), o.space),
      iif(${p.full} = 1, 0, ${p.base} + 1), ${p.now}, ${p.full}
    FROM owners o WHERE o.id = ${p.owner}
    ON CONFLICT (owner, id) DO UPDATE SET touched = excluded.touched`
);

/**
 * Begins a push, or goes on with the one of this id, and discards another one that is open.
 *
 * @returns chunks that are already there
 * @throws `unauthorized`; `conflict` for a base, epoch or incarnation that does not continue what the edge holds, for
 * the id of a push that was discarded or committed, or that was begun with other values; `rate_limited` when too many were
 * discarded lately
 */
export async function beginPush(
  database: Database,
  principal: Principal,
  body: PushBody,
  now: number,
): Promise<ChunkRange[]> {
  const { full, ...fields } = body;
  const values = {
    ...credentials(principal),
    ...fields,
    full: toFlag(full),
    now,
    stale: now - LIMITS.pushIdleMillis,
    remembered: now - LIMITS.pushMemoryMillis,
  };
  const others = { owner: principal.owner, id: body.id, now };
  const begin = [
    mayBegin.bind(values),
    leaveOtherSpaces.bind(others),
    discardOthers.bind(others),
    insertSpace.bind(values),
    insertPush.bind(values),
    selectReceived.bind({ owner: principal.owner, id: body.id }),
  ] as const;
  const received = await attempt(database, begin);
  if (received !== undefined) return received;
  // A discarded delta has its rows in the very space that this one is to add to, invisible, but under the same stamp.
  await database.batch([admitted.bind(values), leaveOtherSpaces.bind(others), discardOthers.bind(others)], {
    idempotent: true,
  });
  await undoRemnants(database, principal.owner);
  const afterUndoing = await attempt(database, begin);
  if (afterUndoing === undefined) throw refusal("remnants");
  return afterUndoing;
}

/** Undefined if something must be undone first. */
async function attempt(
  database: Database,
  begin: readonly [...Statement<never>[], Statement<ChunkRange>],
): Promise<ChunkRange[] | undefined> {
  try {
    const results = await database.batch(begin, { idempotent: true });
    return results.at(-1)?.rows.map(({ first, last }) => ({ first, last })) ?? [];
  } catch (error) {
    const reason = failedCheck(error);
    if (reason === "remnants") return undefined;
    throw reason === undefined ? error : refusal(reason, error);
  }
}

async function undoRemnants(database: Database, owner: Bytes): Promise<void> {
  const { rows: [found] } = await database.execute(findRemnants.bind({ owner }));
  if (found === undefined) return;
  for (let steps = 0; steps < MAX_UNDO_STEPS; steps++) {
    if ((await undoStep(database, found)).done) return;
  }
  throw new PosternError("storage", "A discarded push is so large that it is still being undone; try again");
}

/** About a quarter of a million rows, within one request. */
const MAX_UNDO_STEPS = 500;

/**
 * Undoing a discarded delta, in bounded steps (spec: PUSH-08, STORE-03). Discarded full pushes have a space of their
 * own.
 */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { template, templateOfOne } from "../builder.ts";
import { ALIVE, PUSH, ROW_AND_BLOCK_TABLES } from "../schema.ts";

/** A discarded delta whose rows are still there. */
export type Remnants = {
  readonly owner: number;
  readonly id: Bytes;
  readonly space: number;
  readonly stamp: number;
};

/** That nothing of a push of `pushes` has arrived, so that there is nothing to undo. */
export const broughtNothing = sql`(received = 0 AND nodes = 0)`;

/** That a push `q` of the owner `o` is one whose rows stand in the space that is read. */
export const hasRemnants = sql`q.owner = o.no AND q.state = ${
  sql.lit(PUSH.over)
} AND q.is_undone = 0 AND q.space = o.space`;

/** There is at most one: none is discarded before the one before it is undone. */
export const findRemnants = templateOfOne<{ owner: Bytes }, Remnants>((p) =>
  sql`SELECT q.owner, q.id, q.space, q.stamp
    FROM owners o JOIN pushes q ON ${hasRemnants} WHERE o.id = ${p.owner} LIMIT 1`
);

const alive = sql.lit(ALIVE);
const tables = sql.raw(`tbl ${ROW_AND_BLOCK_TABLES}`);
/** Two statements share the bound of one step. */
const share = sql.lit(LIMITS.sweepRows / 2);

/** A later push may have the same stamp: a step that comes late must not touch its rows. */
const stillToUndo = (p: Remnants) =>
  sql`EXISTS (SELECT 1 FROM pushes q WHERE q.owner = ${p.owner} AND q.id = ${p.id} AND q.is_undone = 0)`;

const deleteAdded = template<Remnants, never>((p) =>
  sql`DELETE FROM rows WHERE id IN (SELECT id FROM rows INDEXED BY rows_born
    WHERE born > 0 AND owner = ${p.owner} AND space = ${p.space} AND ${tables} AND born = ${p.stamp} LIMIT ${share})
    AND ${stillToUndo(p)}`
);
const reviveRemoved = template<Remnants, never>((p) =>
  sql`UPDATE rows SET died = ${alive} WHERE id IN (SELECT id FROM rows INDEXED BY rows_died
    WHERE died < ${alive} AND owner = ${p.owner} AND space = ${p.space} AND ${tables} AND died = ${p.stamp}
    LIMIT ${share}) AND ${stillToUndo(p)}`
);
const markUndone = template<Remnants, never>((p) =>
  sql`UPDATE pushes SET is_undone = 1 WHERE owner = ${p.owner} AND id = ${p.id}
    AND NOT EXISTS (SELECT 1 FROM rows INDEXED BY rows_born
      WHERE born > 0 AND owner = ${p.owner} AND space = ${p.space} AND ${tables} AND born = ${p.stamp})
    AND NOT EXISTS (SELECT 1 FROM rows INDEXED BY rows_died
      WHERE died < ${alive} AND owner = ${p.owner} AND space = ${p.space} AND ${tables} AND died = ${p.stamp})`
);

/** One step; `done` when nothing of the push is left. */
export async function undoStep(database: Database, push: Remnants): Promise<{ changed: number; done: boolean }> {
  const [added, removed, { changes }] = await database.batch([
    deleteAdded.bind(push),
    reviveRemoved.bind(push),
    markUndone.bind(push),
  ], { idempotent: true });
  return { changed: added.changes + removed.changes, done: changes === 1 };
}

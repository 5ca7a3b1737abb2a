/**
 * What can be swept of one owner (spec: STORE-03): for each kind how to see that there is some, and a step that deletes a bounded part
 * of it.
 */
import { type RawBuilder, sql } from "kysely";
import type { Query } from "../../../shared/database/query.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { template, templateOfOne } from "../builder.ts";
import { broughtNothing, hasRemnants } from "../push/undo.ts";
import { ALIVE, PUSH, ROW_AND_BLOCK_TABLES, SPACE } from "../schema.ts";

/** What a step works on: the owner's number, and the moments before which things have had their time, Millis. */
export type Moments = {
  readonly no: number;
  readonly now: number;
  readonly pushIdle: number;
  readonly pushMemory: number;
  readonly partUnnamed: number;
  readonly inboxMemory: number;
};

type Condition = (p: Moments) => RawBuilder<unknown>;
type Step = readonly Query<Moments, never>[];

const alive = sql.lit(ALIVE);
const inTables = sql.raw(ROW_AND_BLOCK_TABLES);
const limit: RawBuilder<number> = sql.lit(LIMITS.sweepRows);
const half: RawBuilder<number> = sql.lit(LIMITS.sweepRows / 2);

const change = (build: Condition): Query<Moments, never> =>
  template<Moments, never>((p) => build(p) as RawBuilder<never>);

/**
 * Deletes some of an owner's rows of which `where` is true. DELETE has no LIMIT of its own, so they are picked by a
 * column that tells them apart: among all of the owner's, or `within` those for which the same is true.
 */
const deleteSome = (table: string, column: string, where: Condition, most = limit, within = false): Step => {
  const [from, last] = [sql.table(table), sql.ref(column)];
  return [change((p) =>
    sql`DELETE FROM ${from} WHERE owner = ${p.no} ${within ? sql`AND ${where(p)}` : sql``}
      AND ${last} IN (SELECT ${last} FROM ${from} WHERE owner = ${p.no} AND ${where(p)} LIMIT ${most})`
  )];
};

/**
 * The lowest generation that is still served from the space `s`; what died by then is seen by nobody (spec: READ-02).
 */
const floor = sql`(SELECT MIN(g.generation) FROM generations g WHERE g.owner = s.owner AND g.space = s.no)`;
const isServed = sql`EXISTS (SELECT 1 FROM generations g WHERE g.owner = s.owner AND g.space = s.no)`;

const idlePush: Condition = (p) =>
  sql`EXISTS (SELECT 1 FROM pushes WHERE owner = ${p.no} AND state = ${
    sql.lit(PUSH.open)
  } AND touched <= ${p.pushIdle})`;
const isLeft: Condition = (p) => sql`s.owner = ${p.no} AND s.state = ${sql.lit(SPACE.left)} AND NOT ${isServed}`;
const leftRows: Condition = (p) =>
  sql`SELECT r.id FROM spaces s CROSS JOIN rows r ON r.owner = s.owner AND r.space = s.no WHERE ${isLeft(p)}`;
const emptySpaces: Condition = (p) =>
  sql`SELECT s.no FROM spaces s WHERE ${isLeft(p)}
    AND NOT EXISTS (SELECT 1 FROM rows r WHERE r.owner = s.owner AND r.space = s.no)`;
const deadRows: Condition = (p) =>
  sql`SELECT r.id FROM spaces s CROSS JOIN rows r INDEXED BY rows_died ON r.died < ${alive} AND r.owner = s.owner
    AND r.space = s.no AND r.tbl ${inTables} AND r.died <= ${floor} WHERE s.owner = ${p.no}`;
/** Remnants in a space that is left go with it. */
const pastPush: Condition = (p) =>
  sql`state <> ${sql.lit(PUSH.open)} AND touched <= ${p.pushMemory}
    AND (is_undone = 1 OR space IS NOT (SELECT space FROM owners WHERE no = ${p.no}))`;
const goneEntries: Condition = (p) =>
  sql`SELECT arrival FROM inbox WHERE owner = ${p.no} AND gone < ${alive} AND gone <= ${p.inboxMemory}`;

/** Of another incarnation than the present one's, which nobody is pushing either (spec: PUSH-14). */
const leftHistory: Condition = (p) =>
  sql`SELECT h.id FROM owners o CROSS JOIN history h ON h.owner = o.no
      AND (h.incarnation < IFNULL(o.incarnation, x'') OR h.incarnation > IFNULL(o.incarnation, x''))
    WHERE o.no = ${p.no} AND NOT EXISTS (SELECT 1 FROM pushes q
      WHERE q.owner = o.no AND q.state = ${sql.lit(PUSH.open)} AND q.incarnation IS NOT o.incarnation)`;

const namedGone: Condition = (p) =>
  sql`SELECT arrival FROM inbox_named WHERE owner = ${p.no} AND arrival IN (${goneEntries(p)})`;

/** Kinds of work in the order in which they are done. `undo` is a step of its own kind. */
export const WORK = {
  // A push that nobody goes on with (spec: PUSH-08).
  idle: {
    when: idlePush,
    step: [
      change((p) =>
        sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)}
          WHERE owner = ${p.no} AND state = ${sql.lit(SPACE.building)} AND ${idlePush(p)}`
      ),
      change((p) =>
        sql`UPDATE pushes SET state = ${
          sql.lit(PUSH.over)
        }, touched = ${p.now}, is_undone = (is_undone OR ${broughtNothing})
          WHERE owner = ${p.no} AND state = ${sql.lit(PUSH.open)} AND touched <= ${p.pushIdle}`
      ),
    ],
  },
  undo: {
    when: (p) => sql`EXISTS (SELECT 1 FROM owners o JOIN pushes q ON ${hasRemnants} WHERE o.no = ${p.no})`,
    step: [],
  },
  // Once these are gone no reader is let in any more: only then rows may go, whatever the clocks of several edges say.
  generations: {
    when: (p) => sql`EXISTS (SELECT 1 FROM generations WHERE owner = ${p.no} AND until <= ${p.now})`,
    step: deleteSome("generations", "generation", (p) => sql`until <= ${p.now}`),
  },
  deadRows: {
    when: (p) => sql`EXISTS (${deadRows(p)})`,
    step: [change((p) => sql`DELETE FROM rows WHERE id IN (${deadRows(p)} LIMIT ${limit})`)],
  },
  // Before the rows of others, which would have to be looked for behind them.
  emptySpaces: {
    when: (p) => sql`EXISTS (${emptySpaces(p)})`,
    step: [change((p) => sql`DELETE FROM spaces WHERE no IN (${emptySpaces(p)} LIMIT ${limit})`)],
  },
  leftRows: {
    when: (p) => sql`EXISTS (${leftRows(p)})`,
    step: [change((p) => sql`DELETE FROM rows WHERE id IN (${leftRows(p)} LIMIT ${limit})`)],
  },
  history: {
    when: (p) => sql`EXISTS (${leftHistory(p)})`,
    step: [change((p) => sql`DELETE FROM history WHERE id IN (${leftHistory(p)} LIMIT ${limit})`)],
  },
  pastPushes: {
    when: (p) => sql`EXISTS (SELECT 1 FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)})`,
    step: [
      ...["push_chunks", "push_nodes"].flatMap((table) =>
        deleteSome(
          table,
          "n",
          (p) => sql`push = (SELECT id FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)} ORDER BY id LIMIT 1)`,
          sql.lit(LIMITS.sweepRows / 4),
          true,
        )
      ),
      change((p) =>
        sql`DELETE FROM pushes WHERE owner = ${p.no} AND id IN (
          SELECT id FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)}
            AND NOT EXISTS (SELECT 1 FROM push_chunks c WHERE c.owner = ${p.no} AND c.push = pushes.id)
            AND NOT EXISTS (SELECT 1 FROM push_nodes c WHERE c.owner = ${p.no} AND c.push = pushes.id)
          LIMIT ${half})`
      ),
    ],
  },
  // Each takes its part and the part's body with it.
  namedParts: {
    when: (p) => sql`EXISTS (${namedGone(p)})`,
    step: deleteSome(
      "inbox_named",
      "hash",
      (p) => sql`arrival = (${namedGone(p)} LIMIT 1)`,
      sql.lit(LIMITS.sweepRows / 4),
      true,
    ),
  },
  entries: {
    when: (p) => sql`EXISTS (${goneEntries(p)})`,
    step: deleteSome(
      "inbox",
      "arrival",
      (p) => sql`arrival IN (${goneEntries(p)})`,
      half,
    ),
  },
  unnamedParts: {
    when: (p) =>
      sql`EXISTS (SELECT 1 FROM inbox_parts WHERE owner = ${p.no} AND refs = 0 AND created <= ${p.partUnnamed})`,
    step: deleteSome(
      "inbox_parts",
      "hash",
      (p) => sql`refs = 0 AND created <= ${p.partUnnamed}`,
      sql.lit(LIMITS.sweepRows / 4),
      true,
    ),
  },
  challenges: {
    when: (p) => sql`EXISTS (SELECT 1 FROM spent_challenges WHERE owner = ${p.no} AND expires <= ${p.now})`,
    step: [change((p) =>
      sql`DELETE FROM spent_challenges WHERE owner = ${p.no} AND (expires, random) IN
        (SELECT expires, random FROM spent_challenges WHERE owner = ${p.no} AND expires <= ${p.now}
          ORDER BY expires, random LIMIT ${limit})`
    )],
  },
  sessions: {
    when: (p) => sql`EXISTS (SELECT 1 FROM ended_sessions WHERE owner = ${p.no} AND expires <= ${p.now})`,
    step: deleteSome("ended_sessions", "session", (p) => sql`expires <= ${p.now}`),
  },
} as const satisfies Readonly<Record<string, { readonly when: Condition; readonly step: Step }>>;

export type Work = keyof typeof WORK;

/** The first kind of which there is some; null if there is nothing to sweep. */
export const findWork = templateOfOne<Moments, { readonly work: Work | null }>((p) => {
  const branches = Object.entries(WORK).map(([name, { when }]) => sql`WHEN ${when(p)} THEN ${sql.lit(name)}`);
  return sql`SELECT CASE ${sql.join(branches, sql` `)} END AS work`;
});

/** What is past its time now. */
export function momentsOf(no: number, now: number): Moments {
  return {
    no,
    now,
    pushIdle: now - LIMITS.pushIdleMillis,
    pushMemory: now - LIMITS.pushMemoryMillis,
    partUnnamed: now - LIMITS.unnamedPartMillis,
    inboxMemory: now - LIMITS.inboxMemoryMillis,
  };
}

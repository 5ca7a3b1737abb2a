/**
 * Sweeping: what has become useless is deleted in bounded steps (spec: STORE-03), a few of them for one owner, then for the
 * next (spec: STORE-02). Every step is atomic and finds its own work, so that any number of edges may sweep at once, and
 * none needs to finish.
 */
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import type { Query } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import { template, templateOfOne } from "./builder.ts";
import { hasRemnants, type Remnants, undoStep } from "./push_undo.ts";
import { ALIVE, PUSH, SPACE } from "./schema.ts";

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
const inTables = sql.raw("IN (1, 2, 3, 4)");
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

const namedGone: Condition = (p) =>
  sql`SELECT arrival FROM inbox_named WHERE owner = ${p.no} AND arrival IN (${goneEntries(p)})`;

/** Kinds of work in the order in which they are done. `undo` is a step of its own kind. */
const WORK = {
  // A push that nobody goes on with (spec: PUSH-08).
  idle: {
    when: idlePush,
    step: [
      change((p) =>
        sql`UPDATE spaces SET state = ${sql.lit(SPACE.left)}
          WHERE owner = ${p.no} AND state = ${sql.lit(SPACE.building)} AND ${idlePush(p)}`
      ),
      change((p) =>
        sql`UPDATE pushes SET state = ${sql.lit(PUSH.over)}, touched = ${p.now}, is_undone = (is_undone OR received = 0)
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
  pastPushes: {
    when: (p) => sql`EXISTS (SELECT 1 FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)})`,
    step: [
      ...deleteSome(
        "push_chunks",
        "n",
        (p) => sql`push = (SELECT id FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)} ORDER BY id LIMIT 1)`,
        half,
        true,
      ),
      change((p) =>
        sql`DELETE FROM pushes WHERE owner = ${p.no} AND id IN (
          SELECT id FROM pushes WHERE owner = ${p.no} AND ${pastPush(p)}
            AND NOT EXISTS (SELECT 1 FROM push_chunks c WHERE c.owner = ${p.no} AND c.push = pushes.id) LIMIT ${half})`
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

type Work = keyof typeof WORK;

const findWork = templateOfOne<Moments, { readonly work: Work | null }>((p) => {
  const branches = Object.entries(WORK).map(([name, { when }]) => sql`WHEN ${when(p)} THEN ${sql.lit(name)}`);
  return sql`SELECT CASE ${sql.join(branches, sql` `)} END AS work`;
});
const nextOwner = templateOfOne<{ readonly after: number }, { readonly no: number | null }>((p) =>
  sql`SELECT MIN(no) AS no FROM owners WHERE no > ${p.after}`
);
const lastOwner = templateOfOne<Record<never, never>, { readonly no: number | null }>(() =>
  sql`SELECT MAX(no) AS no FROM owners`
);
const selectRemnants = templateOfOne<{ readonly no: number }, Remnants & { readonly id: Bytes }>((p) =>
  sql`SELECT q.owner, q.id, q.space, q.stamp FROM owners o JOIN pushes q ON ${hasRemnants} WHERE o.no = ${p.no} LIMIT 1`
);

/** What one step of sweeping came to. */
export interface Swept {
  /** Rows deleted or put right. */
  readonly deleted: number;
  /** There may be more to do now. */
  readonly more: boolean;
}

/** Then it is the next owner's turn: one who leaves much behind must not keep what others left. */
const STEPS_IN_TURN = 4;

/** Walks through the owners, one step at a time. */
export class Sweeper {
  readonly #database: Database;
  /** The owner before the one whose turn it is; null before the first step. */
  #after: number | null = null;
  /** How many steps that owner's turn had. */
  #steps = 0;
  /** This round left work behind, or did not begin with the first owner. */
  #isIncomplete = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Does one step for one owner. Call it again while there is `more`, then after a while. */
  async step(now: number): Promise<Swept> {
    const after = this.#after ??= await this.#start(now);
    const { rows: [next] } = await this.#database.execute(nextOwner.bind({ after }));
    const no = next?.no ?? null;
    if (no === null) {
      const more = this.#isIncomplete;
      this.#pass(0);
      this.#isIncomplete = false;
      return { deleted: 0, more };
    }
    const moments = momentsOf(no, now);
    const { rows: [found] } = await this.#database.execute(findWork.bind(moments));
    const work = found?.work ?? null;
    if (work === null) {
      this.#pass(no);
      return { deleted: 0, more: true };
    }
    const deleted = await this.#do(work, moments);
    this.#steps += 1;
    if (this.#steps >= STEPS_IN_TURN) {
      this.#isIncomplete = true;
      this.#pass(no);
    }
    return { deleted, more: true };
  }

  #pass(no: number): void {
    this.#after = no;
    this.#steps = 0;
  }

  /** Some owner, another one at other times: a worker may forget all this after a few steps, and must not always begin with the same ones. */
  async #start(now: number): Promise<number> {
    const { rows: [last] } = await this.#database.execute(lastOwner.bind({}));
    const after = scatter(now) % Math.max(1, last?.no ?? 1);
    this.#isIncomplete = after > 0;
    return after;
  }

  async #do(work: Work, moments: Moments): Promise<number> {
    if (work === "undo") {
      const { rows: [remnants] } = await this.#database.execute(selectRemnants.bind({ no: moments.no }));
      return remnants === undefined ? 0 : (await undoStep(this.#database, remnants)).changed;
    }
    const statements: Statement<never>[] = WORK[work].step.map((query) => query.bind(moments));
    const results = await this.#database.batch(statements, { idempotent: true });
    return results.reduce((sum, { changes }) => sum + changes, 0);
  }
}

/** Times that follow each other at any interval, as numbers of 32 bits without order (the mixing of MurmurHash3). */
function scatter(now: number): number {
  let bits = Math.floor(now / 1_000) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function momentsOf(no: number, now: number): Moments {
  return {
    no,
    now,
    pushIdle: now - LIMITS.pushIdleMillis,
    pushMemory: now - LIMITS.pushMemoryMillis,
    partUnnamed: now - LIMITS.unnamedPartMillis,
    inboxMemory: now - LIMITS.inboxMemoryMillis,
  };
}

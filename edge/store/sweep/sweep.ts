/**
 * Sweeping: what has become useless is deleted in bounded steps (spec: STORE-03), a few of them for one owner, then for the
 * next (spec: STORE-02). Every step is atomic and finds its own work, so that any number of edges may sweep at once, and
 * none needs to finish.
 */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { templateOfOne } from "../builder.ts";
import { hasRemnants, type Remnants, undoStep } from "../push/undo.ts";
import { findWork, type Moments, momentsOf, WORK, type Work } from "./work.ts";

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

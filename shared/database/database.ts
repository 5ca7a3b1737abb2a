/**
 * The one way Postern speaks to a database: single statements and atomic batches, never an interactive transaction.
 *
 * A transaction that stays open across an `await` holds the only write lock for as long as its caller likes, and is not
 * safe on every driver (measured: of 32 at once on a file, one survives). Whatever must happen together is one batch, and
 * a precondition inside of it is a constraint that fails: see `failedConstraint` in `failures.ts`.
 */
import type { Bytes } from "../bytes/bytes.ts";

/**
 * What a parameter may be and a column returns. Numbers as parameters are integers from -(2^53-1) to 2^53-1 and are
 * stored as INTEGER in whatever column; booleans are 0 and 1 (`toFlag` in `query.ts`); texts hold no NUL and no lone
 * surrogate, which the embedded driver would cut off or replace without a word. A computed column (`avg`) may return a fraction.
 */
export type Value = null | number | string | Bytes;

/** One row of a result whose shape nobody declared. */
export type Row = Readonly<Record<string, Value>>;

declare const rowType: unique symbol;

/**
 * One SQL statement with its parameters, in the order of its `?`. Build it with `query` or `compile` of `query.ts`: then `R`,
 * the shape of its rows, follows from the query.
 */
export interface Statement<R = Row> {
  readonly sql: string;
  readonly params: readonly Value[];
  /** The SQL itself ends in LIMIT 1, so that a driver may stop after the first row (a third cheaper on a file). */
  readonly single?: boolean;
  /** Carries `R` for the compiler only. */
  readonly [rowType]?: R;
}

/** What a statement gave. */
export interface Result<R = Row> {
  readonly rows: readonly R[];
  /**
   * Rows inserted, updated or deleted by the statement itself (not by triggers or foreign key actions); 0 for anything else.
   * Right with RETURNING too.
   */
  readonly changes: number;
}

/** The row type that a statement carries. */
export type RowOf<S> = S extends Statement<infer R> ? R : never;

/** One result for each statement of a batch, typed by its own. */
export type Results<S extends readonly Statement<unknown>[]> = { readonly [K in keyof S]: Result<RowOf<S[K]>> };

/** How a call may be treated. */
export interface CallOptions {
  /**
   * Doing the whole call twice leaves what doing it once leaves. Only such a write is sent again after the connection broke
   * while it was under way; any other then fails with `network`, and whether it took effect is for the caller to find out.
   */
  readonly idempotent?: boolean;
}

/** Where the data lies: a file of this process, or a libSQL server. */
export type DatabaseKind = "embedded" | "remote";

/**
 * A database. All calls may run concurrently. A write is durable once its promise resolves, and every read started
 * after that sees it; a read started earlier may or may not. What is handed in must not change until then. Errors are `PosternError`s: `conflict` for a constraint, `storage` and
 * `wrong_key` for the database itself, `network` for the way there, `usage` and `malformed` for what should not have been asked.
 */
export interface Database {
  readonly kind: DatabaseKind;
  /** Runs one statement; a write is a transaction of its own. */
  execute<R>(statement: Statement<R>, options?: CallOptions): Promise<Result<R>>;
  /**
   * Runs the statements in order in one transaction: all of them or none. Results stand in the same order.
   * A batch that only reads sees one state of the database throughout.
   */
  batch<const S extends readonly Statement<unknown>[]>(statements: S, options?: CallOptions): Promise<Results<S>>;
  /** Waits for what is under way, refuses what comes later with `storage`, and lets go of the file or connection. */
  close(): Promise<void>;
}

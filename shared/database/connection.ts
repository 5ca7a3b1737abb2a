/** One connection of the native libSQL package: synchronous, statements prepared once, and transactions that never outlive a call. */
import { LIMITS } from "../limits.ts";
import { RecentlyUsed } from "./cache.ts";
import type { Result, Statement, Value } from "./database.ts";
import { inspect, type Inspection } from "./sql.ts";
import { type DriverValue, fromDriver, toDriver } from "./values.ts";

/** The part of libSQL's native database that is used; its own types lack half of it. */
export interface NativeDatabase {
  prepare(sql: string): NativeStatement;
  exec(sql: string): void;
  close(): void;
  readonly inTransaction: boolean;
}

/** A prepared statement in raw mode: rows are arrays. */
export interface NativeStatement {
  /** It returns rows. Then `run` must never be called: it would leave the statement open, and with it the write lock. */
  readonly reader: boolean;
  raw(on: boolean): NativeStatement;
  columns(): readonly { readonly name: string }[];
  run(parameters: readonly DriverValue[]): { readonly changes: number };
  get(parameters: readonly DriverValue[]): readonly unknown[] | undefined;
  all(parameters: readonly DriverValue[]): readonly (readonly unknown[])[];
}

/** What became of one member of a transaction. */
export type Outcome = { readonly results: readonly Result<unknown>[] } | { readonly error: unknown };

interface Prepared extends Inspection {
  readonly sql: string;
  native: NativeStatement | undefined;
  reader: boolean;
  names: readonly string[];
}

/** Runs statements on a native database. Throws what the native package throws; the caller gives it a meaning. */
export class Connection {
  readonly #native: NativeDatabase;
  readonly #statements: RecentlyUsed<Prepared>;
  readonly #changes: NativeStatement;
  readonly #begin: Readonly<Record<"read" | "write", NativeStatement>>;
  readonly #commit: NativeStatement;

  constructor(native: NativeDatabase) {
    this.#native = native;
    this.#statements = new RecentlyUsed(LIMITS.databaseStatements, (sql) => (
      { ...inspect(sql), sql, native: undefined, reader: false, names: [] }
    ));
    this.#changes = native.prepare("SELECT changes()").raw(true);
    this.#begin = { read: native.prepare("BEGIN"), write: native.prepare("BEGIN IMMEDIATE") };
    this.#commit = native.prepare("COMMIT");
  }

  /** What kind of statement this is; nothing touches the database yet, so its tables need not exist. */
  inspect(sql: string): Inspection {
    return this.#statements.get(sql);
  }

  /** Runs one statement, in the open transaction or as its own. */
  run<R>(statement: Statement<R>): Result<R> {
    const prepared = this.#statements.get(statement.sql);
    const parameters = toDriver(statement, prepared.parameters);
    const native = prepared.native ?? this.#prepare(prepared);
    if (!prepared.reader) {
      const { changes } = native.run(parameters);
      if (prepared.kind === "schema") this.#statements.clear();
      return { rows: [], changes: prepared.kind === "write" ? changes : 0 };
    }
    const found = statement.single === true ? first(native.get(parameters)) : native.all(parameters);
    const rows = found.map((columns) => toRow(columns, prepared, native));
    // The rows have the shape R because the query that carries R asked for them.
    return {
      rows: rows as readonly unknown[] as readonly R[],
      changes: prepared.kind === "write" ? this.#changed() : 0,
    };
  }

  /** Runs statements that only read, all on one state of the database. */
  snapshot(statements: readonly Statement<unknown>[]): Result<unknown>[] {
    this.#begin.read.run([]);
    try {
      const results = statements.map((statement) => this.run(statement));
      this.#commit.run([]);
      return results;
    } finally {
      this.#rollback();
    }
  }

  /**
   * Runs members, each all or nothing, in one durable transaction. A member that fails leaves the others untouched.
   *
   * Returns undefined if a failure took the whole transaction with it (a full disk, OR ROLLBACK, a deferred foreign key at the end):
   * then nothing was changed, and each is to be run alone, which always returns its outcome. Throws only if the transaction could not begin.
   */
  transact(members: readonly (readonly Statement<unknown>[])[]): Outcome[] | undefined {
    this.#begin.write.run([]);
    try {
      const outcomes: Outcome[] = [];
      for (const member of members) {
        const outcome = members.length === 1 ? this.#attempt(member) : this.#isolated(member);
        if ("error" in outcome && members.length === 1) return [outcome];
        if (!this.#native.inTransaction) return undefined;
        outcomes.push(outcome);
      }
      this.#commit.run([]);
      return outcomes;
    } catch (error) {
      return members.length === 1 ? [{ error }] : undefined;
    } finally {
      this.#rollback();
    }
  }

  /** Writes the log back into the file, which is then complete by itself, and lets go of it. */
  close(): void {
    this.#statements.clear();
    try {
      this.#native.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all([]);
    } finally {
      this.#native.close();
    }
  }

  /** A single statement that fails undoes itself; several need a savepoint to be undone together. */
  #isolated(member: readonly Statement<unknown>[]): Outcome {
    if (member.length === 1) return this.#attempt(member);
    this.#native.exec("SAVEPOINT member");
    const outcome = this.#attempt(member);
    if (this.#native.inTransaction) {
      this.#native.exec("error" in outcome ? "ROLLBACK TO member; RELEASE member" : "RELEASE member");
    }
    return outcome;
  }

  #attempt(member: readonly Statement<unknown>[]): Outcome {
    try {
      return { results: member.map((statement) => this.run(statement)) };
    } catch (error) {
      return { error };
    }
  }

  #rollback(): void {
    if (this.#native.inTransaction) this.#native.exec("ROLLBACK");
  }

  #changed(): number {
    return Number(this.#changes.get([])?.[0] ?? 0);
  }

  #prepare(prepared: Prepared): NativeStatement {
    const native = this.#native.prepare(prepared.sql);
    prepared.reader = native.reader;
    if (prepared.reader) native.raw(true);
    prepared.native = native;
    return native;
  }
}

function first(row: readonly unknown[] | undefined): readonly (readonly unknown[])[] {
  return row === undefined ? [] : [row];
}

function toRow(columns: readonly unknown[], prepared: Prepared, native: NativeStatement): Record<string, Value> {
  // Asking for the names costs 3 microseconds. They are asked for again when another process changed the table under a `*`.
  if (prepared.names.length !== columns.length) prepared.names = native.columns().map(({ name }) => name);
  const row: Record<string, Value> = {};
  for (let i = 0; i < columns.length; i++) {
    const name = prepared.names[i] ?? "";
    row[name] = fromDriver(columns[i], name);
  }
  return row;
}

/**
 * The embedded driver: a libSQL file of this process.
 *
 * Reads run at once, in the caller's turn. Writes that are asked for in the same turn of the event loop share one transaction and so
 * one sync of the disk (measured: twice as many writes a second); each still succeeds or fails alone. The native package
 * is loaded only here, and only when a database is opened: Workers import `remote.ts` and never see it.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Connection, type NativeDatabase, type Outcome } from "./connection.ts";
import type { CallOptions, Database, Result, Results, Statement } from "./database.ts";
import { Lane, type Member } from "./lane.ts";
import { batchKind, type StatementKind } from "./sql.ts";
import { type FailureContext, isBusy, sqliteError, sqliteName } from "./failures.ts";

/** How an embedded database is opened. */
export interface EmbeddedOptions {
  /**
   * FULL (the default): what was committed survives a loss of power. NORMAL: it survives a crash of the process; the last commits
   * before a loss of power may be gone, and the file is whole.
   */
  readonly synchronous?: "FULL" | "NORMAL";
  /** 32 random bytes: every page of the file is then encrypted (AES-256-CBC, by libSQL). Without them the file is not readable. */
  readonly encryptionKey?: Bytes;
  /** How long to wait for another process's lock, in milliseconds; by default `LIMITS.databaseBusyMillis`. */
  readonly busyMillis?: number;
  /**
   * Something that tells the file at the path from any other, such as device and inode number, and undefined if there is none. Asked
   * before each transaction that writes: writes to a file that was deleted or replaced under the process would succeed and be lost.
   */
  readonly fileIdentity?: () => string | undefined;
}

/** Opens (or creates) the database file at a path, or `:memory:`. Throws `storage` or `wrong_key`, with what to do in the message. */
export async function openEmbedded(path: string, options: EmbeddedOptions = {}): Promise<Database> {
  const { encryptionKey, synchronous = "FULL", busyMillis = LIMITS.databaseBusyMillis } = options;
  if (encryptionKey !== undefined && encryptionKey.length !== 32) {
    throw new PosternError("usage", `The encryption key of a database has 32 bytes, not ${encryptionKey.length}.`);
  }
  const context = { place: path, keyed: encryptionKey !== undefined };
  const Native = await loadNative();
  const connection = await unlocked(busyMillis, context, () => {
    const native = new Native(path, {
      // In milliseconds, and it blocks the event loop: just enough for a neighbour's short transaction.
      timeout: 2,
      ...(encryptionKey === undefined ? {} : { encryptionKey: toHex(encryptionKey) }),
    });
    try {
      configure(native, path, synchronous);
      return new Connection(native);
    } catch (error) {
      native.close();
      throw error;
    }
  });
  return new EmbeddedDatabase(connection, context, busyMillis, options.fileIdentity);
}

async function loadNative(): Promise<typeof import("./native.ts").Native> {
  try {
    return (await import("./native.ts")).Native;
  } catch (cause) {
    throw new PosternError(
      "configuration",
      "The native package 'libsql' does not load on this machine; install its build for this platform, or use a libSQL server by URL.",
      { cause },
    );
  }
}

function configure(native: NativeDatabase, path: string, synchronous: "FULL" | "NORMAL"): void {
  const [mode] = native.prepare("PRAGMA journal_mode = WAL").raw(true).all([])[0] ?? [];
  if (mode !== "wal" && mode !== "memory") {
    throw new PosternError(
      "storage",
      `The file system of the database ${path} does not allow write-ahead logging (found '${mode}'); use a local disk.`,
    );
  }
  native.exec(`PRAGMA synchronous = ${synchronous}`);
  native.exec("PRAGMA foreign_keys = ON");
  native.exec("PRAGMA trusted_schema = OFF");
  // Large sorts would otherwise go to files that page encryption does not cover.
  native.exec("PRAGMA temp_store = MEMORY");
}

class EmbeddedDatabase implements Database {
  readonly kind = "embedded";
  readonly #connection: Connection;
  readonly #context: FailureContext;
  readonly #busyMillis: number;
  readonly #fileIdentity: () => string | undefined;
  readonly #identity: string | undefined;
  readonly #writes: Lane<Statement<unknown>>;
  /** Reads that wait for a lock. */
  readonly #waiting = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(
    connection: Connection,
    context: FailureContext,
    busyMillis: number,
    fileIdentity: () => string | undefined = () => undefined,
  ) {
    this.#connection = connection;
    this.#context = context;
    this.#busyMillis = busyMillis;
    this.#fileIdentity = fileIdentity;
    this.#identity = fileIdentity();
    this.#writes = new Lane({
      maxStatements: LIMITS.databaseGroupStatements,
      maxBytes: Infinity,
      // Not a microtask: everything the event loop has ready, such as the other requests that arrived, shall join first.
      soon: (go) => void setImmediate(go),
      settle: (group) => this.#settle(group),
    });
  }

  execute<R>(statement: Statement<R>, _options?: CallOptions): Promise<Result<R>> {
    try {
      this.#assertOpen();
      const { kind } = this.#connection.inspect(statement.sql);
      if (kind !== "read") return this.#write([statement], kind === "alone").then(([result]) => result as Result<R>);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read(() => this.#connection.run(statement));
  }

  batch<const S extends readonly Statement<unknown>[]>(statements: S, _options?: CallOptions): Promise<Results<S>> {
    let kind: StatementKind;
    try {
      this.#assertOpen();
      kind = batchKind(statements.map(({ sql }) => this.#connection.inspect(sql)));
    } catch (error) {
      return Promise.reject(error);
    }
    // The results stand in the order of the statements, whose types S lists.
    const results: Promise<readonly Result<unknown>[]> = statements.length === 0
      ? Promise.resolve([])
      : kind === "read"
      ? this.#read(() => this.#connection.snapshot(statements))
      : this.#write(statements, false);
    return results as Promise<Results<S>>;
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    await Promise.allSettled([this.#writes.idle(), ...this.#waiting]);
    try {
      this.#connection.close();
    } catch (error) {
      throw explain(error, this.#context);
    }
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) {
      throw new PosternError("storage", `The database ${this.#context.place} was closed; open it again.`);
    }
  }

  /** Runs now; only when the database is locked does it wait. */
  #read<T>(run: () => T): Promise<T> {
    try {
      return Promise.resolve(run());
    } catch (error) {
      if (!isBusy(codeOf(error))) return Promise.reject(explain(error, this.#context));
    }
    const waiting = unlocked(this.#busyMillis, this.#context, run);
    const forget = () => void this.#waiting.delete(waiting);
    this.#waiting.add(waiting);
    waiting.then(forget, forget);
    return waiting;
  }

  #write(statements: readonly Statement<unknown>[], alone: boolean): Promise<readonly Result<unknown>[]> {
    return this.#writes.add({ statements, alone, idempotent: false, bytes: 0 });
  }

  async #settle(group: readonly Member<Statement<unknown>>[]): Promise<void> {
    let outcomes: Outcome[] | undefined;
    try {
      outcomes = await unlocked(this.#busyMillis, this.#context, () => this.#attempt(group));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    if (outcomes === undefined) {
      for (const member of group) await this.#settle([member]);
      return;
    }
    for (const [i, outcome] of outcomes.entries()) {
      if ("results" in outcome) group[i]?.resolve(outcome.results);
      else group[i]?.reject(explain(outcome.error, this.#context));
    }
  }

  #attempt(group: readonly Member<Statement<unknown>>[]): Outcome[] | undefined {
    if (this.#fileIdentity() !== this.#identity) {
      throw new PosternError(
        "storage",
        `The file of the database ${this.#context.place} was deleted or replaced; put it back or restart.`,
      );
    }
    const [only] = group;
    if (only?.alone === true) {
      return [{ results: only.statements.map((statement) => this.#connection.run(statement)) }];
    }
    return this.#connection.transact(group.map(({ statements }) => statements));
  }
}

/** Runs again with growing pauses for as long as the database is locked, without blocking anybody else in the meantime. */
async function unlocked<T>(busyMillis: number, context: FailureContext, run: () => T): Promise<T> {
  for (let waited = 0, pause = 1;; waited += pause, pause = Math.min(pause * 2, 100)) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(codeOf(error)) || waited >= busyMillis) throw explain(error, context);
    }
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

/** SQLite's code of a native error. Of some extended codes libSQL knows no name, but all carry their number. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_")) return error.code;
  return "rawCode" in error && typeof error.rawCode === "number" ? sqliteName(error.rawCode) : "";
}

/** An error of the native package as ours; any other passes as it is. */
function explain(error: unknown, context: FailureContext): unknown {
  if (!(error instanceof Error) || error instanceof PosternError) return error;
  const code = codeOf(error);
  if (code !== "") return sqliteError(code, error.message, context, error);
  // Opening reports its SQLite code only as the number at the end of its text; 14 is by far the commonest.
  return error.message.startsWith("ConnectionFailed")
    ? sqliteError("SQLITE_CANTOPEN", error.message, context, error)
    : error;
}

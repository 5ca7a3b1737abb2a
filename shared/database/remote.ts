/**
 * The remote driver: a libSQL server (sqld, Turso) over HTTP or WebSocket. It runs in every runtime, Workers included.
 *
 * What concurrent callers ask for is coalesced: one request that writes and one that reads are under way at a time, and whatever is
 * asked meanwhile joins the next. It is several times faster, and it keeps sqld alive, which stops answering under
 * concurrent writers (measured). A failed request changed nothing, and is taken apart and sent again until each call has its own answer.
 */
import type { ResultSet } from "@libsql/client/web";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { RecentlyUsed } from "./cache.ts";
import type { CallOptions, Database, Result, Results, Statement, Value } from "./database.ts";
import type { FailureContext } from "./failures.ts";
import { Lane, type Member } from "./lane.ts";
import { Link, type LinkMode, type WireStatement } from "./link.ts";
import { lostError, readFailure, type RemoteFailure } from "./remote_failures.ts";
import { batchKind, inspect } from "./sql.ts";
import { Turn } from "./turn.ts";
import { fromDriver, toDriver } from "./values.ts";

/** How a remote database is opened. */
export interface RemoteOptions {
  /** What the server admits us with. It stands here and not in the URL, which ends up in logs. */
  readonly authToken?: string;
  /**
   * Join concurrent calls into one request (the default). False sends each call by itself on a connection of its own, for Cloudflare
   * Workers: there a request must not wait for another one's promises. Concurrent writes then run in no order and far slower (measured:
   * a twentieth), one at a time within an isolate. Use an `https:` URL, and rather Turso than sqld, which may stop answering when many isolates write.
   */
  readonly coalesce?: boolean;
  /** How long the server may take for an answer, in milliseconds; by default `LIMITS.databaseAnswerMillis`. */
  readonly answerMillis?: number;
  /** How long to try again when the server's database is locked, in milliseconds; by default `LIMITS.databaseBusyMillis`. */
  readonly busyMillis?: number;
}

/** Pauses before a call that may be repeated is sent again, in milliseconds. */
const PAUSES = [50, 200, 800];

/** A write apart from others that takes longer no longer keeps the next ones waiting: its request may have ended with its client's. */
const TURN_MILLIS = 2_000;

/**
 * A database at an `http:`, `https:`, `ws:`, `wss:` or `libsql:` URL. Connects with the first statement, which then throws what is wrong.
 * Throws `configuration` for a URL that carries a password, a token or anything but a place.
 */
export function openRemote(url: string, options: RemoteOptions = {}): Database {
  return new RemoteDatabase(url, placeOf(url), options);
}

function placeOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^(?:https?|wss?|libsql):$/.test(parsed.protocol) || parsed.host === "") {
    throw new PosternError(
      "configuration",
      "The database URL is none of http:, https:, ws:, wss: or libsql: with a host.",
    );
  }
  if (
    parsed.username !== "" || parsed.password !== "" || parsed.hash !== "" || !/^(?:\?tls=[01])?$/.test(parsed.search)
  ) {
    throw new PosternError(
      "configuration",
      "The database URL holds more than a place (user, query or fragment); give the token in its own setting.",
    );
  }
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

type Wire = Member<WireStatement>;

class RemoteDatabase implements Database {
  readonly kind = "remote";
  readonly #context: FailureContext;
  readonly #busyMillis: number;
  readonly #open: () => Link;
  readonly #inspections = new RecentlyUsed(LIMITS.databaseStatements, inspect);
  readonly #apart = new Set<Promise<void>>();
  readonly #turn = new Turn();
  readonly #links: readonly Link[];
  readonly #lanes: { readonly read: Lane<WireStatement>; readonly write: Lane<WireStatement> } | undefined;
  #closed: Promise<void> | undefined;

  constructor(url: string, place: string, options: RemoteOptions) {
    const { authToken, coalesce = true, answerMillis = LIMITS.databaseAnswerMillis } = options;
    this.#context = { place, keyed: authToken !== undefined };
    this.#busyMillis = options.busyMillis ?? LIMITS.databaseBusyMillis;
    this.#open = () => new Link(url, authToken, answerMillis);
    // One connection for each lane: a read that is given up must not break off a write.
    const [reading, writing] = [this.#open(), this.#open()];
    this.#links = [reading, writing];
    if (coalesce) this.#lanes = { read: this.#lane(reading, "read"), write: this.#lane(writing, "write") };
  }

  execute<R>(statement: Statement<R>, options?: CallOptions): Promise<Result<R>> {
    try {
      const { kind } = this.#inspections.get(statement.sql);
      const mode = kind === "schema" ? "write" : kind;
      return this.#call([statement], mode, options).then(([result]) => result as Result<R>);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  batch<const S extends readonly Statement<unknown>[]>(statements: S, options?: CallOptions): Promise<Results<S>> {
    try {
      const mode = batchKind(statements.map(({ sql }) => this.#inspections.get(sql)));
      // The results stand in the order of the statements, whose types S lists.
      return this.#call(statements, mode, options) as Promise<readonly Result<unknown>[]> as Promise<Results<S>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    await Promise.all([this.#lanes?.read.idle(), this.#lanes?.write.idle(), ...this.#apart]);
    for (const link of this.#links) link.close();
  }

  #lane(link: Link, mode: "read" | "write"): Lane<WireStatement> {
    return new Lane({
      maxStatements: LIMITS.databaseGroupStatements,
      maxBytes: LIMITS.databaseGroupBytes,
      soon: queueMicrotask,
      settle: (group) => this.#settle(link, mode, group),
    });
  }

  #call(
    statements: readonly Statement<unknown>[],
    mode: LinkMode,
    options: CallOptions = {},
  ): Promise<readonly Result<unknown>[]> {
    if (this.#closed !== undefined) {
      throw new PosternError("storage", `The database ${this.#context.place} was closed; open it again.`);
    }
    if (statements.length === 0) return Promise.resolve([]);
    const wire = statements.map((statement) => ({
      sql: statement.sql,
      args: toDriver(statement, this.#inspections.get(statement.sql).parameters),
    }));
    const bytes = wire.reduce((sum, statement) => sum + wireBytes(statement), 0);
    if (bytes > LIMITS.databaseCallBytes) {
      throw new PosternError(
        "too_large",
        `A call of ${bytes} bytes is too large for the database ${this.#context.place}; split it into smaller batches.`,
      );
    }
    const call = {
      statements: wire,
      alone: mode === "alone",
      idempotent: mode === "read" || options.idempotent === true,
      bytes,
    };
    if (this.#lanes !== undefined) return this.#lanes[mode === "read" ? "read" : "write"].add(call);
    return this.#apartFromOthers(call, mode);
  }

  /** A connection for this call alone. Writes still go one at a time, as far as this isolate can see to it: sqld needs that. */
  #apartFromOthers(call: Omit<Wire, "resolve" | "reject">, mode: LinkMode): Promise<readonly Result<unknown>[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Result<unknown>[]>();
    const settled = async () => {
      const link = this.#open();
      const holder = mode === "read" ? undefined : await this.#turn.take(TURN_MILLIS);
      await this.#settle(link, mode, [{ ...call, resolve, reject }]);
      if (holder !== undefined) this.#turn.release(holder);
      link.close();
    };
    const done = settled().finally(() => this.#apart.delete(done));
    this.#apart.add(done);
    return promise;
  }

  /** Sends a group until each of its members is settled. A request is a transaction: if it fails, none of its members took effect. */
  async #settle(link: Link, mode: LinkMode, group: readonly Wire[]): Promise<void> {
    for (let losses = 0, waited = 0;;) {
      let failure: RemoteFailure;
      try {
        deliver(group, await link.send(group.flatMap(({ statements }) => statements), mode));
        return;
      } catch (error) {
        failure = readFailure(error, this.#context);
      }
      let pause: number | undefined;
      if (failure.kind === "lost") {
        pause = PAUSES[losses++];
        const again = pause === undefined ? [] : group.filter(({ idempotent }) => idempotent);
        const lost = lostError(this.#context, failure, mode !== "read");
        for (const member of group) if (!again.includes(member)) member.reject(lost);
        group = again;
      } else if (failure.kind === "busy" && waited < this.#busyMillis) {
        pause = Math.min(5 + waited, 100);
        waited += pause;
      } else if (failure.kind === "refused" && group.length > 1) {
        for (const part of split(group, failure.index)) await this.#settle(link, mode, part);
        return;
      } else {
        for (const { reject } of group) reject(failure.error);
        return;
      }
      if (group.length === 0 || pause === undefined) return;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
}

/**
 * Takes a failed group apart, in order: what stands before the member that failed, that one, and the rest; halves where nobody knows which.
 * So one that fails among many costs three more requests, not one for each.
 */
export function split<M extends { readonly statements: readonly unknown[] }>(
  group: readonly M[],
  failedStatement: number | undefined,
): (readonly M[])[] {
  let failed = -1;
  for (let i = 0, end = 0; failedStatement !== undefined && i < group.length && failed < 0; i++) {
    end += group[i]?.statements.length ?? 0;
    if (failedStatement < end) failed = i;
  }
  const half = group.length >> 1;
  const parts = failed < 0
    ? [group.slice(0, half), group.slice(half)]
    : [group.slice(0, failed), group.slice(failed, failed + 1), group.slice(failed + 1)];
  return parts.filter((part) => part.length > 0);
}

function deliver(group: readonly Wire[], sets: readonly ResultSet[]): void {
  let next = 0;
  for (const { statements, resolve, reject } of group) {
    const own = sets.slice(next, next += statements.length);
    try {
      resolve(own.map(toResult));
    } catch (error) {
      reject(error);
    }
  }
}

function toResult({ columns, rows, rowsAffected }: ResultSet): Result<Record<string, Value>> {
  return {
    changes: rowsAffected,
    rows: rows.map((from) => {
      const row: Record<string, Value> = {};
      for (const [i, name] of columns.entries()) row[name] = fromDriver(from[i], name);
      return row;
    }),
  };
}

/** About what a statement takes as JSON, where bytes are base64. */
function wireBytes({ sql, args }: WireStatement): number {
  let bytes = sql.length + 64;
  for (const value of args) {
    bytes += typeof value === "string" ? value.length * 2 : value instanceof Uint8Array ? value.length * 4 / 3 : 16;
  }
  return Math.ceil(bytes) + 32 * args.length;
}

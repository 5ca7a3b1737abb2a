/** What the database itself says, in the words of the edge's answers (spec: CONV-09). */
import type { CallOptions, Database, Result, Results, Statement } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";

/**
 * A database whose own failures are all `storage`: one that is locked, full, away, or does not admit us. Those of
 * constraints (`conflict`) and sizes (`too_large`) are for the statement's author to read.
 */
export function storageOf(database: Database): Database {
  return {
    kind: database.kind,
    execute: <R>(statement: Statement<R>, options?: CallOptions): Promise<Result<R>> =>
      database.execute(statement, options).catch(explain),
    batch: <const S extends readonly Statement<unknown>[]>(
      statements: S,
      options?: CallOptions,
    ): Promise<Results<S>> => database.batch(statements, options).catch(explain),
    close: () => database.close(),
  };
}

function explain(error: unknown): never {
  const away = isPosternError(error, "network") || isPosternError(error, "wrong_key") ||
    isPosternError(error, "forbidden");
  if (away) throw new PosternError("storage", error.message, { cause: error });
  throw error;
}

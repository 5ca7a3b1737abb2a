/**
 * Preconditions of a batch. There are no interactive transactions, so a condition that must hold when the batch runs
 * is a statement of it: it inserts a reason into the view `checks`, whose trigger fails the whole batch with that
 * reason, or NULL, which does nothing. Conditions and changes are then one atomic step, however many edges run.
 */
import { type RawBuilder, sql } from "kysely";
import { failedConstraint } from "../../shared/database/failures.ts";
import type { Parameters, Query } from "../../shared/database/query.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { template } from "./builder.ts";

/** Why a batch can be refused. A new reason also needs its line in the trigger, by a migration. */
const REASONS = {
  unauthorized: ["unauthorized", "The session does not count any more"],
  base: ["conflict", "The push does not build on the generation, epoch and incarnation that the edge holds"],
  push_unknown: ["not_found", "There is no such push"],
  push_over: ["conflict", "The push was discarded"],
  push_differs: ["conflict", "The push was begun with other values"],
  push_committed: ["conflict", "The push was committed"],
  remnants: ["conflict", "A discarded push is still being undone"],
  chunk_number: ["malformed", "The push has no chunk of this number"],
  incomplete: ["conflict", "Chunks of the push are missing"],
  counts: ["conflict", "The head counts other rows than the push leads to"],
  clash: ["conflict", "The push removes what is not there, or adds what is there"],
  superseded: ["conflict", "The edge holds another generation than the one that was checked"],
  too_many_pushes: ["rate_limited", "Too many pushes were begun and given up; try again in some minutes"],
  owner_full: [
    "too_large",
    "The edge stores no more for this owner: raise its POSTERN_OWNER_BYTES, or wait until what was left is deleted",
  ],
  delete_number: ["conflict", "The tables were deleted under this number or a higher one"],
  inbox_full: ["too_large", "The inbox is full until the manager has taken what is in it"],
  part_missing: ["not_found", "The submission names parts that are not there"],
} as const satisfies Readonly<Record<string, readonly [ErrorCode, string]>>;

export type Reason = keyof typeof REASONS;

/** Fails its batch with the reason that the expression gives; passes on NULL. */
export function check<P extends Parameters>(reason: (p: P) => RawBuilder<unknown>): Query<P, never> {
  return template<P, never>((p) => sql`INSERT INTO checks (reason) SELECT ${reason(p)}`);
}

/** The reason for which a batch was refused; undefined for any other error. */
export function failedCheck(error: unknown): Reason | undefined {
  const failed = failedConstraint(error);
  return failed?.kind === "raised" && failed.name in REASONS ? failed.name as Reason : undefined;
}

/** The error that callers outside see for a reason. */
export function refusal(reason: Reason, cause?: unknown): PosternError {
  const [code, message] = REASONS[reason];
  return new PosternError(code, message, { cause });
}

/** The words of a refusal for a limit, for the owner to read; undefined for any other error. */
export function limitText(error: unknown): string | undefined {
  const reason = isPosternError(error) ? failedCheck(error.cause) : undefined;
  if (reason === undefined) return undefined;
  const [code, text] = REASONS[reason];
  return code === "too_large" || code === "rate_limited" ? text : undefined;
}

/** Fails with the `unauthorized` of a principal that does not count. */
export function unauthorized(): PosternError {
  return refusal("unauthorized");
}

/** What a failed call to a libSQL server means: did the server refuse it, or does nobody know what became of it? */
import { LibsqlBatchError, LibsqlError } from "@libsql/client/web";
import { PosternError } from "../errors.ts";
import { type FailureContext, isBusy, plainMessage, sqliteError } from "./failures.ts";

/**
 * - `refused`: a statement failed, and nothing was changed; `index` says which, where it is known.
 * - `busy`: refused because another connection writes; worth another try.
 * - `denied`: the server takes nothing from us at all, whatever the statements are.
 * - `lost`: no answer, or none that can be read; what was sent may have taken effect.
 */
export type RemoteFailure =
  | { readonly kind: "refused" | "busy" | "denied"; readonly index: number | undefined; readonly error: PosternError }
  | { readonly kind: "lost"; readonly detail: string; readonly cause: unknown };

/** Codes of the client under which an answer is missing or unreadable; all others come from the server. */
const LOST = new Set([
  "HRANA_WEBSOCKET_ERROR",
  "HRANA_CLOSED_ERROR",
  "HRANA_PROTO_ERROR",
  "INTERNAL_ERROR",
  "UNKNOWN",
  "CLIENT_CLOSED",
  "TRANSACTION_CLOSED",
]);

/** Reads an error that `@libsql/client` threw. Anything unexpected counts as lost, the careful choice. */
export function readFailure(error: unknown, context: FailureContext): RemoteFailure {
  if (!(error instanceof LibsqlError)) {
    return { kind: "lost", detail: error instanceof Error ? error.message : String(error), cause: error };
  }
  const index = error instanceof LibsqlBatchError ? error.statementIndex : undefined;
  const message = plainMessage(error.message);
  const status = statusOf(error.cause);
  if (error.code.startsWith("AUTH_") || status === 401 || status === 403) {
    const text = `The database ${context.place} does not accept the token; set a valid one.`;
    return { kind: "denied", index, error: new PosternError("wrong_key", text, { cause: error }) };
  }
  if (status === 413 || error.code === "RESPONSE_TOO_LARGE" || message.endsWith("too big")) {
    return { kind: "refused", index, error: sqliteError("SQLITE_TOOBIG", message, context, error) };
  }
  if (status !== undefined && status >= 400 && status < 500) {
    const text = `There is no libSQL server at ${context.place} (${message}); check the URL.`;
    return { kind: "denied", index, error: new PosternError("network", text, { cause: error }) };
  }
  if (LOST.has(error.code) || error.code === "SERVER_ERROR") return { kind: "lost", detail: message, cause: error };
  const reason = sqliteError(error.code, message, context, error);
  return { kind: isBusy(error.code) ? "busy" : "refused", index, error: reason };
}

function statusOf(cause: unknown): number | undefined {
  return cause instanceof Error && "status" in cause && typeof cause.status === "number" ? cause.status : undefined;
}

/** The error of a call whose answer never came. */
export function lostError(
  context: FailureContext,
  failure: { readonly detail: string; readonly cause: unknown },
  changes: boolean,
): PosternError {
  const outcome = changes ? "; whether the change took effect is not known" : "";
  return new PosternError(
    "network",
    `The database ${context.place} gave no answer (${failure.detail})${outcome}. Check that it runs and can be reached.`,
    { cause: failure.cause },
  );
}

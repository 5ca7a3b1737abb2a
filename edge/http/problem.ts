/** Errors as answers: which status and code a caller sees (shared/spec/conventions.md). Nothing else of an error leaves the edge. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";

/** The codes that answers carry, each with its status and title (spec: CONV-09). */
export const PROBLEMS = {
  malformed: [400, "The request is not what the protocol allows"],
  unauthorized: [401, "Log in (again)"],
  forbidden: [403, "Not for this role"],
  not_found: [404, "There is nothing here"],
  conflict: [409, "The request contradicts the present state"],
  epoch_gone: [410, "The epoch is no longer kept"],
  too_large: [413, "Over a limit"],
  unsupported: [415, "Another media type or version"],
  rate_limited: [429, "Too many requests"],
  storage: [503, "Not available at the moment"],
} as const satisfies Partial<Record<ErrorCode, readonly [number, string]>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error's status, and its body in JSON (RFC 9457). */
export interface Problem {
  readonly code: ProblemCode;
  readonly status: number;
  readonly body: Bytes;
}

/** The answer for a code; the same bytes each time, unless there is something to say to the owner. */
export function problemOf(code: ProblemCode, text?: string): Problem {
  const [status, standard] = PROBLEMS[code];
  const title = text ?? standard;
  return { code, status, body: utf8(JSON.stringify({ type: "about:blank", status, code, title })) };
}

/** What callers see of an error. Whatever nobody expected is `storage`, the one code that says: it is not you, try later. */
export function codeFor(error: unknown): ProblemCode {
  return isPosternError(error) ? outwardCode(error.code) : "storage";
}

/** What callers see of each code inside. */
export function outwardCode(code: ErrorCode): ProblemCode {
  switch (code) {
    case "malformed":
    case "unauthorized":
    case "forbidden":
    case "not_found":
    case "conflict":
    case "epoch_gone":
    case "too_large":
    case "unsupported":
    case "rate_limited":
    case "storage":
      return code;
    // Of something that was sent: a signature or hash that does not verify, a root that is none.
    case "tampered":
    case "untrusted":
    case "signature":
    case "revoked":
    case "mixed_up":
      return "malformed";
    // Of a state that moved on.
    case "expired":
    case "not_yet_valid":
    case "rolled_back":
    case "forked":
    case "restored":
    case "stale":
    case "withheld":
      return "conflict";
    // Of the edge itself.
    case "wrong_key":
    case "configuration":
    case "network":
    case "clock":
    case "usage":
      return "storage";
  }
}

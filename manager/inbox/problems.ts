/** Which failures lie in a submission itself: it is then taken and refused, since it must not block what follows (spec: INBOX-08). */
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";

/** What can be wrong with what a device handed in. Anything else is the manager's own failure, and is tried again. */
const IN_IT: readonly ErrorCode[] = ["malformed", "tampered", "unsupported", "too_large", "not_found", "usage"];

/** Why a submission cannot be processed, or null when the failure is not its own. */
export function refusalOf(error: unknown): string | null {
  return isPosternError(error) && IN_IT.includes(error.code) ? error.message : null;
}

/** Where a submission stands in its stream: pure (spec: INBOX-07). */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { SignedSubmission } from "../../shared/protocol/submission.ts";
import type { StreamsTable } from "../store/schema.ts";

/**
 * - `known`: taken before; the edge shows it until it has seen the acknowledgement.
 * - `next`: the one to take now.
 * - `gap`: something before it is missing; it waits.
 * - `broken`: it has the next number but does not follow; the stream ends.
 * - `ended`: its stream has ended.
 */
export type Place = "known" | "next" | "gap" | "broken" | "ended";

/** Judges a submission by where its stream stands; null for a stream that has not begun. */
export function judgePlace(
  stream: Pick<StreamsTable, "number" | "hash" | "ended"> | null,
  { submission }: Pick<SignedSubmission, "submission">,
): Place {
  const { number, previous } = submission;
  if (stream === null) {
    if (number > 1) return "gap";
    return previous === null ? "next" : "broken";
  }
  if (stream.ended === 1) return "ended";
  if (number <= stream.number) return "known";
  if (number > stream.number + 1) return "gap";
  return previous !== null && equalBytes(previous, stream.hash) ? "next" : "broken";
}

/** How a submitted message must be made up of its parts: pure (spec: INBOX-02). */
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { SubmissionPayload } from "../../shared/protocol/submission_payload.ts";

type MessagePayload = Extract<SubmissionPayload, { kind: "message" }>;

/** Sizes of the opened parts of a message that is not inline, in order. */
export function partSizes(size: number): number[] {
  const { messagePartBytes } = LIMITS;
  const count = Math.ceil(size / messagePartBytes);
  return Array.from({ length: count }, (_, index) => Math.min(messagePartBytes, size - index * messagePartBytes));
}

/**
 * Checks how a message says it is made up, before anything of it is fetched.
 *
 * @param parts how many its submission names
 * @throws `malformed` when it is both inline and in parts, or neither, or not cut as it must be
 */
export function requireShape({ size, inline, partKey }: MessagePayload, parts: number): void {
  const isInline = size <= LIMITS.inlineSubmissionBytes;
  const isWell = isInline
    ? inline !== null && partKey === null && parts === 0
    : inline === null && partKey !== null && parts === partSizes(size).length;
  if (!isWell) throw new PosternError("malformed", `A message of ${size} bytes is not made up as it must be`);
}

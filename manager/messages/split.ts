/** Cuts a message into what its channel row holds and its parts (spec: ROW-09). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";

/** Small messages are inline and have no parts, others the other way round. */
export interface SplitMessage {
  readonly inline: Bytes | null;
  readonly parts: readonly Bytes[];
}

/** @throws `too_large` (spec: ROW-11) */
export function splitMessage(raw: Bytes): SplitMessage {
  if (raw.length > LIMITS.maxMessageBytes) {
    throw new PosternError(
      "too_large",
      `A message has ${raw.length} bytes; at most ${LIMITS.maxMessageBytes} are kept`,
    );
  }
  if (raw.length <= LIMITS.inlineMessageBytes) return { inline: raw, parts: [] };
  const count = Math.ceil(raw.length / LIMITS.messagePartBytes);
  const part = (index: number) => raw.slice(index * LIMITS.messagePartBytes, (index + 1) * LIMITS.messagePartBytes);
  return { inline: null, parts: Array.from({ length: count }, (_, index) => part(index)) };
}

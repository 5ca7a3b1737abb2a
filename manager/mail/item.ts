/** What reading a mailbox yields: a message, or why one could not be read. One bad item never ends the others. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";

/** A flag that a Maildir file name carries (Maildir specification, "Info"). */
export type MailFlag = "draft" | "flagged" | "passed" | "replied" | "seen" | "trashed";

/** One message, byte for byte as it was stored. */
export interface MailMessage {
  readonly kind: "message";
  /** Where it was found: a path, with `#3` for the third message of an mbox file. */
  readonly source: string;
  readonly raw: Bytes;
  /** The folder that it was in, as a channel name (NFC, `/` between levels); absent for an inbox or a single file. */
  readonly channelHint?: string;
  /** Present for messages from a Maildir. */
  readonly flags?: readonly MailFlag[];
}

/** Something in a mailbox that could not be read as a message. */
export interface MailProblem {
  readonly kind: "problem";
  readonly source: string;
  /** `too_large`, `malformed`, `unsupported`, `not_found` (moved away meanwhile) or `storage`. */
  readonly error: PosternError;
}

export type MailItem = MailMessage | MailProblem;

export function mailProblem(source: string, error: PosternError): MailProblem {
  return { kind: "problem", source, error };
}

/** A message, or the problem that there is nothing in it. */
export function mailMessage(source: string, raw: Bytes, channelHint?: string, flags?: readonly MailFlag[]): MailItem {
  if (raw.length === 0) {
    return mailProblem(source, new PosternError("malformed", `${source} is empty: there is no message in it`));
  }
  return {
    kind: "message",
    source,
    raw,
    ...(channelHint === undefined ? {} : { channelHint }),
    ...(flags === undefined ? {} : { flags }),
  };
}

/** The problem of a message over `LIMITS.maxMessageBytes`. */
export function tooLargeProblem(source: string, bytes: number): MailProblem {
  const limit = LIMITS.maxMessageBytes;
  return mailProblem(
    source,
    new PosternError("too_large", `${source} has ${bytes} bytes; a message may have at most ${limit}`),
  );
}

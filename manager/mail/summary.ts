/**
 * What a list of messages shows of one. The raw bytes are the truth and stay as they are; this is a reading of them, the same
 * on every machine and for ever, and it never fails: whatever cannot be read is left out, and `damage` says so.
 */
import PostalMime, { type Address, type Email } from "postal-mime";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { LIMITS } from "../../shared/limits.ts";
import { displayAddress, displayText } from "./display_text.ts";
import { parseMailDate } from "./mail_date.ts";
import { type MessageSkeleton, messageSkeleton } from "./skeleton.ts";
import { findDamage, type MailDamage } from "./damage.ts";

export interface MailSummary {
  /** Each of the three a single line of at most `LIMITS.maxSummaryChars`, empty if the message does not say. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  /** Milliseconds since 1970, negative before; null if there is no date that can be read. */
  readonly date: number | null;
  /** As in the header, angle brackets included. */
  readonly messageId: string | null;
  /** Parts that are not the text of the message; an attached message counts as one, whatever is in it. */
  readonly attachments: number;
  /** True if `damage` is not empty. */
  readonly damaged: boolean;
  readonly damage: readonly MailDamage[];
}

/** Reads the summary of a message. Takes any bytes; never throws because of them. */
export async function summarizeMail(raw: Bytes): Promise<MailSummary> {
  const skeleton = messageSkeleton(raw);
  const { email, broken } = await parse(skeleton);
  const header = (name: string): string | undefined => email.headers.find(({ key }) => key === name)?.value;
  const dateHeader = header("date");
  const date = dateHeader === undefined ? null : parseMailDate(dateHeader);
  const damage = findDamage({ skeleton, email, broken, dateDamaged: dateHeader !== undefined && date?.exact !== true });
  const line = (text: string): string => displayText(text, LIMITS.maxSummaryChars);
  const messageId = displayText(email.messageId ?? "", LIMITS.maxSummaryChars);
  return {
    from: line(addresses(email.from === undefined ? [] : [email.from])),
    to: line(addresses(email.to ?? [])),
    subject: line(email.subject ?? ""),
    date: date?.millis ?? null,
    messageId: messageId === "" ? null : messageId,
    attachments: email.attachments.length,
    damaged: damage.length > 0,
    damage,
  };
}

/** More than fit into a line need not be joined. */
function addresses(list: readonly Address[]): string {
  const flat = list.slice(0, LIMITS.maxSummaryChars).flatMap((entry) => entry.group ?? [entry]);
  return flat.slice(0, LIMITS.maxSummaryChars).map(displayAddress).join(", ");
}

const NOTHING: Email = { headers: [], headerLines: [], attachments: [] };

/** All parts if possible, else the header alone, else nothing. */
async function parse(skeleton: MessageSkeleton): Promise<{ email: Email; broken: boolean }> {
  for (const [i, bytes] of [skeleton.whole, skeleton.header].entries()) {
    try {
      const options = {
        maxNestingDepth: LIMITS.maxMimeNesting,
        forceRfc822Attachments: true,
        maxRfc822NestingDepth: 0,
      };
      return { email: await PostalMime.parse(bytes, options), broken: i > 0 };
    } catch (error) {
      // A parser's own errors, of whatever class, mean that it could not read this message, and nothing else is called here.
      if (!(error instanceof Error)) throw error;
    }
  }
  return { email: NOTHING, broken: true };
}

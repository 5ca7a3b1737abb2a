import { join } from "node:path";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { readBounded } from "../files/read_bounded.ts";
import { listFolder } from "./list_folder.ts";
import { whyNoMail } from "./looks_like_mail.ts";
import { type MailFlag, type MailItem, mailMessage, mailProblem } from "./item.ts";

const FLAGS: Readonly<Record<string, MailFlag>> = {
  D: "draft",
  F: "flagged",
  P: "passed",
  R: "replied",
  S: "seen",
  T: "trashed",
};

/** The flags in the name of a message file, such as `1700000000.M1P2.host:2,RS`; copies from Windows have ";" or "!". */
function maildirFlags(fileName: string): readonly MailFlag[] {
  const info = /[:;!]2,([A-Za-z]*)$/.exec(fileName)?.[1] ?? "";
  return [...new Set(info)].flatMap((letter) => FLAGS[letter] ?? []).sort();
}

/** One file as one message, whatever is in it. */
export async function readMessageFile(path: string, hint?: string, flags?: readonly MailFlag[]): Promise<MailItem> {
  try {
    const raw = await readBounded(path, LIMITS.maxMessageBytes);
    const reason = raw.length === 0 ? null : whyNoMail(raw);
    if (reason === null) return mailMessage(path, raw, hint, flags);
    return mailProblem(path, new PosternError("malformed", `${path} is no message: ${reason}`));
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return mailProblem(path, error);
  }
}

/**
 * The messages in one Maildir's `cur` and `new`, in the order of their names, which begin with the time of delivery. `tmp` holds
 * deliveries under way and is left alone; so are sub-folders, which the caller walks.
 *
 * A message that a mail program renames meanwhile is a `not_found` problem; importing once more finds it.
 */
export async function* readMaildir(path: string, hint?: string): AsyncGenerator<MailItem> {
  for (const part of ["cur", "new"]) {
    const folder = join(path, part);
    const listed = await listFolder(folder);
    if (listed.error?.code === "not_found") continue;
    if (listed.error) yield mailProblem(folder, listed.error);
    for (const entry of listed.entries) {
      if (entry.name.startsWith(".")) continue;
      const file = join(folder, entry.name);
      if (entry.isFile) yield await readMessageFile(file, hint, maildirFlags(entry.name));
      else {yield mailProblem(
          file,
          new PosternError("unsupported", `${file} is not a regular file, as messages in a Maildir are`),
        );}
    }
  }
}

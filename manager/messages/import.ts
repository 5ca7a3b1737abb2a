/** Takes a mailbox in, message by message; one that cannot be read never ends the import. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, type PosternError } from "../../shared/errors.ts";
import type { MailItem } from "../mail/item.ts";
import { addMessage } from "./add.ts";

export interface MailImportOptions {
  /** For every message; without it, the folder's name, and for an inbox `defaultChannel`. */
  readonly channel?: string;
  readonly defaultChannel: string;
  readonly onProgress?: (done: number) => void;
  readonly stop?: AbortSignal;
}

/** What came of an import. */
export interface ImportedMail {
  readonly added: number;
  /** The same bytes were in the same channel before. */
  readonly known: number;
  readonly bytes: number;
  /** How many were added to each channel. */
  readonly channels: ReadonlyMap<string, number>;
  readonly problems: readonly { readonly source: string; readonly error: PosternError }[];
}

/** Imports what is found, in its order. What was added before an error, or before it was stopped, stays. */
export async function importMail(
  db: Database,
  items: AsyncIterable<MailItem>,
  options: MailImportOptions,
  now: () => number,
  random: RandomBytes,
): Promise<ImportedMail> {
  const counts = { added: 0, known: 0, bytes: 0 };
  const channels = new Map<string, number>();
  const problems: { source: string; error: PosternError }[] = [];
  for await (const item of items) {
    options.stop?.throwIfAborted();
    if (item.kind === "problem") {
      problems.push({ source: item.source, error: item.error });
      continue;
    }
    const channel = options.channel ?? item.channelHint ?? options.defaultChannel;
    try {
      const added = await addMessage(db, { channel, direction: "in", raw: item.raw }, now(), random);
      counts[added === null ? "known" : "added"]++;
      if (added !== null) {
        counts.bytes += item.raw.length;
        channels.set(channel, (channels.get(channel) ?? 0) + 1);
      }
    } catch (error) {
      if (!isPosternError(error) || error.code === "storage") throw error;
      problems.push({ source: item.source, error });
    }
    options.onProgress?.(counts.added + counts.known + problems.length);
  }
  return { ...counts, channels, problems };
}

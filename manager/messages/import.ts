/** Takes a mailbox in; one message that cannot be read never ends the import. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, type PosternError } from "../../shared/errors.ts";
import type { MailItem, MailMessage } from "../mail/item.ts";
import { addReceived } from "./add_many.ts";

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

interface Totals {
  added: number;
  known: number;
  bytes: number;
  readonly channels: Map<string, number>;
  readonly problems: { source: string; error: PosternError }[];
}

interface Group {
  readonly channel: string;
  readonly messages: readonly MailMessage[];
}

/** A group goes into the database in one step; what it takes in memory is bounded by its bytes. */
const GROUP_MESSAGES = 64;
const GROUP_BYTES = 4_194_304;

/** Imports what is found, in its order. What was added before an error, or before it was stopped, stays. */
export async function importMail(
  db: Database,
  items: AsyncIterable<MailItem>,
  options: MailImportOptions,
  now: () => number,
  random: RandomBytes,
): Promise<ImportedMail> {
  const totals: Totals = { added: 0, known: 0, bytes: 0, channels: new Map(), problems: [] };
  for await (const group of groups(items, options, totals)) {
    options.stop?.throwIfAborted();
    await addGroup(db, group, totals, now(), random);
    options.onProgress?.(totals.added + totals.known + totals.problems.length);
  }
  return totals;
}

/** Messages that follow each other into the same channel; problems go to the totals at once. */
async function* groups(
  items: AsyncIterable<MailItem>,
  options: MailImportOptions,
  totals: Totals,
): AsyncGenerator<Group> {
  let channel = "";
  let messages: MailMessage[] = [];
  let bytes = 0;
  for await (const item of items) {
    if (item.kind === "problem") {
      totals.problems.push({ source: item.source, error: item.error });
      continue;
    }
    const wanted = options.channel ?? item.channelHint ?? options.defaultChannel;
    const isFull = messages.length >= GROUP_MESSAGES || bytes + item.raw.length > GROUP_BYTES;
    if (messages.length > 0 && (wanted !== channel || isFull)) {
      yield { channel, messages };
      messages = [];
      bytes = 0;
    }
    channel = wanted;
    messages.push(item);
    bytes += item.raw.length;
  }
  if (messages.length > 0) yield { channel, messages };
}

/** A group that cannot be added as a whole is added one by one, so that the one to blame is found. */
async function addGroup(db: Database, group: Group, totals: Totals, now: number, random: RandomBytes): Promise<void> {
  const { channel, messages } = group;
  try {
    const raws = messages.map(({ raw }) => raw);
    for (const [index, isAdded] of (await addReceived(db, channel, raws, now, random)).entries()) {
      count(totals, channel, raws[index], isAdded);
    }
  } catch (error) {
    if (!isPosternError(error) || error.code === "storage") throw error;
    const [only] = messages;
    if (messages.length === 1 && only !== undefined) totals.problems.push({ source: only.source, error });
    else for (const message of messages) await addGroup(db, { channel, messages: [message] }, totals, now, random);
  }
}

function count(totals: Totals, channel: string, raw: Bytes | undefined, isAdded: boolean): void {
  if (!isAdded) {
    totals.known++;
    return;
  }
  totals.added++;
  totals.bytes += raw?.length ?? 0;
  totals.channels.set(channel, (totals.channels.get(channel) ?? 0) + 1);
}

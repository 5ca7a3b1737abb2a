/** Puts messages into channels: the message, its entries and its parts in one atomic step. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { failedConstraint } from "../../shared/database/failures.ts";
import { query } from "../../shared/database/query.ts";
import { encodeMessage, encodePart, type MessageContent } from "../../shared/protocol/plaintexts.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import { summarizeMail } from "../mail/summary.ts";
import { putEntry } from "../store/entries.ts";
import type { MessagesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import { channelName, ensureChannel, reservePositions } from "./channels.ts";
import { splitMessage } from "./split.ts";

/** A message that shall be kept. */
export interface NewMessage {
  readonly channel: string;
  readonly direction: "in" | "out";
  readonly raw: Bytes;
}

/** Where a message is now. */
export interface AddedMessage {
  readonly id: Bytes;
  readonly position: number;
}

/** As the statement wants it: an interface has no index signature. */
type MessageValues = Pick<MessagesTable, keyof MessagesTable>;

const insert = query((p: MessageValues) =>
  tables.insertInto("messages").values({
    ...{ id: p.id, channel: p.channel, position: p.position, direction: p.direction, date: p.date, added: p.added },
    ...{ size: p.size, sha256: p.sha256, sender: p.sender, recipients: p.recipients, subject: p.subject },
    parts: p.parts,
  })
);
const byHash = query((p: { channel: number; sha256: Bytes }) =>
  tables.selectFrom("messages").select("id").where("channel", "=", p.channel).where("sha256", "=", p.sha256)
    .where("direction", "=", "in").limit(1)
);

/** Stores what a message's row says of it. @param channel the number of its channel */
export function insertMessage(m: Omit<MessageContent, "inline">, channel: number): Statement<never> {
  return insert.bind({
    ...{ id: m.id, channel, position: m.position, direction: m.direction, date: m.date, added: m.added, size: m.size },
    ...{ sha256: m.sha256, sender: m.summary.from, recipients: m.summary.to, subject: m.summary.subject },
    parts: m.parts,
  });
}

/**
 * Prepares a message; what comes back goes into one batch, with whatever else must happen with it.
 *
 * @param id is given by the caller, so that a repeated attempt makes the same message
 * @param reserved a position of the channel that was reserved for it; otherwise one is
 * @throws `too_large`, `usage` for the channel's name
 */
export async function prepareMessage(
  db: Database,
  message: NewMessage,
  id: Bytes,
  now: number,
  reserved?: number,
): Promise<AddedMessage & { readonly statements: readonly Statement<unknown>[] }> {
  const { raw, direction } = message;
  const { inline, parts } = splitMessage(raw);
  const summary = await summarizeMail(raw);
  const channel = channelName(message.channel);
  const number = await ensureChannel(db, channel, now);
  const position = reserved ?? await reservePositions(db, number, 1);
  const hash = sha256(raw);
  const { from, to, subject } = summary;
  const content = {
    ...{ id, channel, position, direction, date: summary.date, added: now, size: raw.length, sha256: hash },
    ...{ summary: { from, to, subject }, parts: parts.length },
  };
  const statements = [
    insertMessage(content, number),
    putEntry(LISTS.channel(channel), position, encodeMessage({ ...content, inline })),
    ...parts.map((bytes, index) => putEntry(LISTS.message(id), index, encodePart({ message: id, index, bytes }))),
  ];
  return { id, position, statements };
}

/** Adds a message. Returns null for one received before: the same bytes in the same channel, so that imports can be repeated. */
export async function addMessage(
  db: Database,
  message: NewMessage,
  now: number,
  random: RandomBytes,
): Promise<AddedMessage | null> {
  if (message.direction === "in" && await isKnown(db, message, now)) return null;
  const { statements, id, position } = await prepareMessage(db, message, random(16), now);
  try {
    await db.batch(statements);
  } catch (error) {
    // Another process imported the same message between the look and the insert.
    if (message.direction === "in" && failedConstraint(error) !== undefined) return null;
    throw error;
  }
  return { id, position };
}

/** Whether the same bytes were received in the same channel before. */
export async function isKnown(db: Database, message: NewMessage, now: number): Promise<boolean> {
  const channel = await ensureChannel(db, message.channel, now);
  return (await db.execute(byHash.bind({ channel, sha256: sha256(message.raw) }))).rows.length > 0;
}

/** Messages as a restored manager reads them back from the edge: their entries are there already (spec: BACKUP-18). */
import type { Database } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import type { MessageContent } from "../../shared/protocol/plaintexts.ts";
import { tables } from "../store/tables.ts";
import { insertMessage } from "./add.ts";
import { findChannel } from "./channels.ts";

const reached = query((p: { number: number; position: number }) =>
  tables.updateTable("channels").set((e) => ({
    last_position: e.fn<number>("max", ["last_position", e.val(p.position)]),
  })).where("number", "=", p.number)
);

/** Written at once. */
const BATCH = 500;

/**
 * Adds messages to their channels, at the positions that they had.
 *
 * @throws `tampered` for one of a channel that the edge does not have
 */
export async function messagesAtEdge(
  db: Database,
  messages: readonly Omit<MessageContent, "inline">[],
): Promise<void> {
  const channels = new Map<string, number>();
  for (const { channel } of messages) {
    if (channels.has(channel)) continue;
    const number = await findChannel(db, channel);
    if (number === null) throw new PosternError("tampered", "The edge shows a message of a channel that is not there");
    channels.set(channel, number);
  }
  for (let at = 0; at < messages.length; at += BATCH) {
    await db.batch(
      messages.slice(at, at + BATCH).flatMap((message) => {
        const number = channels.get(message.channel) ?? 0;
        return [insertMessage(message, number), reached.bind({ number, position: message.position })];
      }),
    );
  }
}

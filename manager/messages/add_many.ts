/** Adds many messages to one channel at once, in their order: a mailbox of thousands takes one sync of the disk for each group. */
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { failedConstraint } from "../../shared/database/failures.ts";
import { addMessage, isKnown, type NewMessage, prepareMessage } from "./add.ts";
import { ensureChannel, reservePositions } from "./channels.ts";

/**
 * Adds messages that were received in one channel. They get consecutive positions, all of them or none.
 *
 * @param now Millis
 * @returns for each whether it was added; false for one received before, or twice among these
 */
export async function addReceived(
  db: Database,
  channel: string,
  raws: readonly Bytes[],
  now: number,
  random: RandomBytes,
): Promise<boolean[]> {
  const messages = raws.map((raw): NewMessage => ({ channel, direction: "in", raw }));
  const isNew = await areNew(db, messages, now);
  const fresh = messages.filter((_, index) => isNew[index]);
  if (fresh.length === 0) return isNew;
  const number = await ensureChannel(db, channel, now);
  const first = await reservePositions(db, number, fresh.length);
  const prepared = await Promise.all(
    fresh.map((message, index) => prepareMessage(db, message, random(16), now, first + index)),
  );
  try {
    await db.batch(prepared.flatMap(({ statements }) => statements));
    return isNew;
  } catch (error) {
    if (failedConstraint(error) === undefined) throw error;
  }
  // Another process imports the same mailbox: whoever was first with a message keeps it.
  const added: boolean[] = [];
  for (const [index, message] of messages.entries()) {
    added.push(isNew[index] === true && await addMessage(db, message, now, random) !== null);
  }
  return added;
}

async function areNew(db: Database, messages: readonly NewMessage[], now: number): Promise<boolean[]> {
  const seen = new Set<string>();
  const known = await Promise.all(messages.map((message) => isKnown(db, message, now)));
  return messages.map(({ raw }, index) => {
    const digest = toHex(sha256(raw));
    const isNew = known[index] === false && !seen.has(digest);
    seen.add(digest);
    return isNew;
  });
}

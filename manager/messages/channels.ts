/** Channels: named sequences of messages, each with an entry in the list of channels. */
import type { Database } from "../../shared/database/database.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { encodeChannel } from "../../shared/protocol/plaintexts.ts";
import { LISTS } from "../../shared/protocol/token.ts";
import { putEntry } from "../store/entries.ts";
import { retryConflicts } from "../store/retry.ts";
import { tables } from "../store/tables.ts";

const byName = query((p: { name: string }) =>
  tables.selectFrom("channels").selectAll().where("name", "=", p.name).limit(1)
);
const insert = query((p: { number: number; name: string; created: number }) =>
  tables.insertInto("channels").values({ number: p.number, name: p.name, created: p.created, last_position: 0 })
);
const highest = compile(tables.selectFrom("channels").select((e) => e.fn.max<number | null>("number").as("number")));
const reserve = query((p: { number: number; count: number }) =>
  tables.updateTable("channels").set((e) => ({ last_position: e("last_position", "+", p.count) }))
    .where("number", "=", p.number).returning("last_position")
);
const all = compile(
  tables.selectFrom("channels").select(["channels.number", "channels.name", "channels.created"])
    .leftJoin("messages", "messages.channel", "channels.number")
    .select((e) => e.fn.count<number>("messages.id").as("messages"))
    .groupBy("channels.number").orderBy("channels.number"),
);

/** A channel and how many messages are in it. */
export interface ChannelSummary {
  readonly number: number;
  readonly name: string;
  readonly created: number;
  readonly messages: number;
}

/** All channels in the order in which they came. */
export async function listChannels(db: Database): Promise<readonly ChannelSummary[]> {
  return (await db.execute(all)).rows;
}

/** The number of a channel, or null. */
export async function findChannel(db: Database, name: string): Promise<number | null> {
  const { rows: [row] } = await db.execute(byName.bind({ name: channelName(name) }));
  return row?.number ?? null;
}

/** The number of a channel, which is made if there is none of this name. `now` in Millis. */
export function ensureChannel(db: Database, name: string, now: number): Promise<number> {
  const wanted = channelName(name);
  return retryConflicts(async () => {
    const found = await findChannel(db, wanted);
    if (found !== null) return found;
    const number = ((await db.execute(highest)).rows[0]?.number ?? 0) + 1;
    const entry = putEntry(LISTS.channels, number, encodeChannel({ name: wanted, created: now }));
    await db.batch([insert.bind({ number, name: wanted, created: now }), entry]);
    return number;
  });
}

/** Takes the next `count` positions of a channel; returns the first. What is never filled stays a gap (spec: ROW-13). */
export async function reservePositions(db: Database, number: number, count: number): Promise<number> {
  const { rows: [row] } = await db.execute(reserve.bind({ number, count }));
  if (row === undefined) throw new PosternError("not_found", `There is no channel with the number ${number}`);
  return row.last_position - count + 1;
}

/** A channel name in its one form (spec: ROW-02). @throws `usage` */
export function channelName(text: string): string {
  const name = text.normalize("NFC");
  const bytes = utf8(name).length;
  if (bytes === 0 || bytes > LIMITS.maxChannelBytes) {
    throw new PosternError("usage", `A channel's name has 1 to ${LIMITS.maxChannelBytes} bytes; this one has ${bytes}`);
  }
  return name;
}

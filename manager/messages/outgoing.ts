/** The queue of messages that devices handed in to be sent. Whatever sends them takes them from here, by one interface. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { tables } from "../store/tables.ts";

export type OutgoingState = "queued" | "held" | "sent" | "failed";

/** A message that waits to be sent, was sent, or could not be. */
export interface OutgoingLine {
  readonly id: Bytes;
  readonly device: Bytes;
  readonly state: string;
  readonly attempts: number;
  readonly detail: string;
  readonly queued: number;
  readonly channel: string;
  readonly size: number;
  readonly recipients: string;
  readonly subject: string;
}

/**
 * Sends messages to the world. None is built in yet; a queue without a transport keeps what it has.
 *
 * `send` resolves once the message is another server's responsibility; it must recognise the id of one it sent before, since
 * a crash between sending and recording makes the queue ask again.
 */
export interface OutgoingTransport {
  send(message: { readonly id: Bytes; readonly channel: string; readonly raw: Bytes }): Promise<void>;
}

const insert = query((p: { id: Bytes; device: Bytes; state: string; detail: string; queued: number }) =>
  tables.insertInto("outgoing").values({
    ...{ id: p.id, message: p.id, device: p.device, state: p.state, attempts: 0, detail: p.detail, queued: p.queued },
  })
);
const newest = query((p: { limit: number }) =>
  tables.selectFrom("outgoing").innerJoin("messages", "messages.id", "outgoing.message")
    .innerJoin("channels", "channels.number", "messages.channel")
    .select([
      ...["outgoing.id as id", "outgoing.device as device", "outgoing.state as state"] as const,
      ...["outgoing.attempts as attempts", "outgoing.detail as detail", "outgoing.queued as queued"] as const,
      ...["channels.name as channel", "messages.size as size", "messages.recipients as recipients"] as const,
      "messages.subject as subject",
    ]).orderBy("outgoing.queued", "desc").limit(p.limit)
);
const settle = query((p: { id: Bytes; state: string; detail: string }) =>
  tables.updateTable("outgoing").set((e) => ({ state: p.state, detail: p.detail, attempts: e("attempts", "+", 1) }))
    .where("id", "=", p.id)
);

const release = query((p: { id: Bytes }) =>
  tables.updateTable("outgoing").set({ state: "queued", detail: "" }).where("id", "=", p.id).where("state", "=", "held")
);
const releaseAll = compile(
  tables.updateTable("outgoing").set({ state: "queued", detail: "" }).where("state", "=", "held"),
);

/** Queues a message that goes into its channel in the same batch. `now` in Millis. */
export function queueOutgoing(id: Bytes, device: Bytes, state: "queued" | "held", now: number): Statement<never> {
  return insert.bind({ id, device, state, detail: "", queued: now });
}

/** Holds a message that may have been sent. `now` in Millis. */
export function holdOutgoing(id: Bytes, device: Bytes, detail: string, now: number): Statement<never> {
  return insert.bind({ id, device, state: "held", detail, queued: now });
}

/** The newest of the queue, whatever their state. */
export async function listOutgoing(db: Database, limit: number): Promise<readonly OutgoingLine[]> {
  return (await db.execute(newest.bind({ limit }))).rows;
}

/** Records what came of an attempt. */
export async function settleOutgoing(db: Database, id: Bytes, state: OutgoingState, detail: string): Promise<void> {
  await db.execute(settle.bind({ id, state, detail }));
}

/** Lets a held message be sent, by the owner's word; changes nothing for any other. */
export function releaseOutgoing(id: Bytes): Statement<never> {
  return release.bind({ id });
}

/** The same for all that are held; how many there were. */
export async function releaseAllOutgoing(db: Database): Promise<number> {
  return (await db.execute(releaseAll)).changes;
}

/** How far each stream of submissions has been taken; what heads acknowledge (spec: INBOX-07, HEAD-06). */
import { type RawBuilder, sql } from "kysely";
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Acknowledgement } from "../../shared/protocol/acknowledgement.ts";
import type { StreamsTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

const byPlace = query((p: { device: Bytes; stream: Bytes }) =>
  tables.selectFrom("streams").selectAll().where("device", "=", p.device).where("stream", "=", p.stream).limit(1)
);
// Of each device the streams that spoke last; those of active devices come before those of revoked ones.
const toAcknowledge = query((p: { streams: number; limit: number }) =>
  tables.selectFrom((e) =>
    e.selectFrom("streams").innerJoin("devices", "devices.id", "streams.device")
      .select(["streams.device", "streams.stream", "streams.number", "streams.hash", "devices.state"])
      .select(sql<number>`ROW_NUMBER() OVER (PARTITION BY streams.device ORDER BY streams.updated DESC, streams.stream)`
        .as("place"))
      .where("streams.number", ">", 0).as("s")
  ).select(["s.device", "s.stream", "s.number", "s.hash"]).where("s.place", "<=", p.streams)
    .orderBy((e) => e("s.state", "=", "active"), "desc").orderBy("s.place").orderBy("s.device").limit(p.limit)
);
/**
 * When a stream spoke, Millis, but after all that its device's streams said before: else a clock that was wrong for a while would keep
 * streams in front of those that speak after it.
 */
function spokenAt(device: Bytes, now: number): RawBuilder<number> {
  return sql<number>`max(${now}, (SELECT ifnull(max(updated), 0) + 1 FROM streams WHERE device = ${device}))`;
}

/** A stream up to a number, and when it spoke. */
type Spoken = Readonly<Pick<StreamsTable, "device" | "stream" | "number" | "hash" | "updated">>;

function reached({ device, number, hash, updated }: Spoken) {
  return { number, hash, updated: spokenAt(device, updated) };
}

const insertFirst = query((p: Spoken) =>
  tables.insertInto("streams").values({ device: p.device, stream: p.stream, ended: 0, ...reached(p) })
);
const advance = query((p: Spoken) =>
  tables.updateTable("streams").set(reached(p)).where("device", "=", p.device).where("stream", "=", p.stream)
);
const takeOver = query((p: Spoken) =>
  tables.insertInto("streams").values({ device: p.device, stream: p.stream, ended: 0, ...reached(p) })
    .onConflict((c) => c.columns(["device", "stream"]).doUpdateSet(reached(p)))
);
const end = query((p: Spoken) =>
  tables.insertInto("streams").values({ device: p.device, stream: p.stream, ended: 1, ...reached(p) })
    .onConflict((c) =>
      c.columns(["device", "stream"]).doUpdateSet({ ended: 1, updated: spokenAt(p.device, p.updated) })
    )
);

/** Where a stream stands, or null before its first submission. */
export async function findStream(db: Database, device: Bytes, stream: Bytes): Promise<StreamsTable | null> {
  return (await db.execute(byPlace.bind({ device, stream }))).rows[0] ?? null;
}

/** Moves a stream on by one; goes into the batch with the submission's effect. */
export function advanceStream(ack: Acknowledgement, now: number): Statement<never> {
  const values = { ...ack, updated: now };
  return ack.number === 1 ? insertFirst.bind(values) : advance.bind(values);
}

/** Moves a stream to where an earlier incarnation had taken it, known here or not (spec: BACKUP-13). */
export function takeOverStream(ack: Acknowledgement, now: number): Statement<never> {
  return takeOver.bind({ ...ack, updated: now });
}

/** Ends a stream whose chain is broken; what was acknowledged stays so. */
export async function endStream(
  db: Database,
  { device, stream }: Pick<Acknowledgement, "device" | "stream">,
  now: number,
): Promise<void> {
  await db.execute(end.bind({ device, stream, number: 0, hash: EMPTY, updated: now }));
}

/** What the next head acknowledges (spec: HEAD-06). */
export async function acknowledgements(db: Database): Promise<readonly Acknowledgement[]> {
  const limits = { streams: LIMITS.maxStreamsPerDevice, limit: LIMITS.maxAcknowledgements };
  return (await db.execute(toAcknowledge.bind(limits))).rows;
}

/** How far each stream of submissions has been taken; what heads acknowledge (spec: INBOX-07, HEAD-06). */
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Acknowledgement } from "../../shared/protocol/acknowledgement.ts";
import type { StreamsTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

const byPlace = query((p: { device: Bytes; stream: Bytes }) =>
  tables.selectFrom("streams").selectAll().where("device", "=", p.device).where("stream", "=", p.stream).limit(1)
);
const newestFirst = compile(tables.selectFrom("streams").selectAll().orderBy("updated", "desc"));
const insertFirst = query((p: { device: Bytes; stream: Bytes; number: number; hash: Bytes; updated: number }) =>
  tables.insertInto("streams").values({
    ...{ device: p.device, stream: p.stream, number: p.number, hash: p.hash, ended: 0, updated: p.updated },
  })
);
const advance = query((p: { device: Bytes; stream: Bytes; number: number; hash: Bytes; updated: number }) =>
  tables.updateTable("streams").set({ number: p.number, hash: p.hash, updated: p.updated })
    .where("device", "=", p.device).where("stream", "=", p.stream)
);
const end = query((p: { device: Bytes; stream: Bytes; number: number; hash: Bytes; updated: number }) =>
  tables.insertInto("streams").values({
    ...{ device: p.device, stream: p.stream, number: p.number, hash: p.hash, ended: 1, updated: p.updated },
  }).onConflict((c) => c.columns(["device", "stream"]).doUpdateSet({ ended: 1, updated: p.updated }))
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

/** Ends a stream whose chain is broken; what was acknowledged stays so. */
export function endStream(stream: StreamsTable, now: number): Statement<never> {
  const { device, number, hash } = stream;
  return end.bind({ device, stream: stream.stream, number, hash, updated: now });
}

/** What the next head acknowledges: of each device the streams that spoke last (spec: HEAD-06). */
export async function acknowledgements(db: Database): Promise<Acknowledgement[]> {
  const { rows } = await db.execute(newestFirst);
  const streams = new Map<string, number>();
  return rows.filter(({ device, number }) => {
    const count = (streams.get(toHex(device)) ?? 0) + 1;
    streams.set(toHex(device), count);
    return number > 0 && count <= LIMITS.maxStreamsPerDevice;
  }).slice(0, LIMITS.maxAcknowledgements).map(({ device, stream, number, hash }) => ({ device, stream, number, hash }));
}

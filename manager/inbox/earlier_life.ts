/** Acknowledgements of an earlier incarnation: what it had taken is not taken again (spec: BACKUP-13). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import type { Acknowledgement } from "../../shared/protocol/acknowledgement.ts";
import { tables } from "../store/tables.ts";
import { findStream, spokenAt } from "./streams.ts";

const put = query((p: { device: Bytes; stream: Bytes; number: number; hash: Bytes; updated: number }) =>
  tables.insertInto("streams").values({
    ...{
      device: p.device,
      stream: p.stream,
      number: p.number,
      hash: p.hash,
      ended: 0,
      updated: spokenAt(p.device, p.updated),
    },
  }).onConflict((c) =>
    c.columns(["device", "stream"]).doUpdateSet({
      number: p.number,
      hash: p.hash,
      updated: spokenAt(p.device, p.updated),
    })
  )
);

/**
 * Takes over what a verified head of an earlier incarnation acknowledges beyond what this database knows of.
 *
 * @param now Millis
 */
export async function takeOverAcknowledgements(
  db: Database,
  acks: readonly Acknowledgement[],
  now: number,
): Promise<Statement<never>[]> {
  const statements: Statement<never>[] = [];
  for (const { device, stream, number, hash } of acks) {
    const known = await findStream(db, device, stream);
    if (known === null || known.number < number) {
      statements.push(put.bind({ device, stream, number, hash, updated: now }));
    }
  }
  return statements;
}

/** Acknowledgements of an earlier incarnation: what it had taken is not taken again (spec: BACKUP-13). */
import type { Database, Statement } from "../../shared/database/database.ts";
import type { Acknowledgement } from "../../shared/protocol/acknowledgement.ts";
import { findStream, takeOverStream } from "./streams.ts";

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
  for (const ack of acks) {
    const known = await findStream(db, ack.device, ack.stream);
    if (known === null || known.number < ack.number) statements.push(takeOverStream(ack, now));
  }
  return statements;
}

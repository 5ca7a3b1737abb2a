/** Whether the manager's own rows are all there before everything is pushed anew (spec: PUSH-22). */
import type { Database } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { tables } from "../../store/tables.ts";
import { currentEpochRow } from "../epoch_records.ts";

// What was placed and is not there so any more, and the other way round; both go through one table and look into indices.
const lost = query((p: { epoch: number }) =>
  tables.selectFrom("placed").select((e) => e.fn.countAll<number>().as("count"))
    .where("placed.epoch", "=", p.epoch)
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("entries").select("entries.id").whereRef("entries.content_key", "=", "placed.content_key")
          .whereRef("entries.content_hash", "=", "placed.content_hash"),
      ))
    )
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("changed").select("changed.version").whereRef("changed.content_key", "=", "placed.content_key"),
      ))
    )
);
const unknown = query((p: { epoch: number }) =>
  tables.selectFrom("entries").select((e) => e.fn.countAll<number>().as("count"))
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("placed").select("placed.epoch").where("placed.epoch", "=", p.epoch)
          .whereRef("placed.content_key", "=", "entries.content_key"),
      ))
    )
    .where((e) =>
      e.not(e.exists(
        e.selectFrom("changed").select("changed.version").whereRef("changed.content_key", "=", "entries.content_key"),
      ))
    )
);

/**
 * Holds the rows against those that were placed last. Before the first push there is nothing to compare.
 *
 * @throws `storage` when rows are missing, or others, without a change that was noted
 */
// spec: PUSH-22
export async function requireWhole(db: Database): Promise<void> {
  const { rows: [current] } = await db.execute(currentEpochRow);
  if (current === undefined) return;
  const { epoch } = current;
  const [{ rows: [gone] }, { rows: [strange] }] = await db.batch([lost.bind({ epoch }), unknown.bind({ epoch })]);
  const [missing, others] = [gone?.count ?? 0, strange?.count ?? 0];
  if (missing === 0 && others === 0) return;
  throw new PosternError(
    "storage",
    `The manager's database is damaged: ${missing} rows are not as they were pushed, and ${others} were never noted. Nothing is pushed, ` +
      "and the edge keeps what it has: restore from a backup",
  );
}

/** Alarms: what the owner must see, until it is cleared. */
import type { Database } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { tables } from "../store/tables.ts";

const insert = query((p: { code: string; text: string; raised: number }) =>
  tables.insertInto("alarms").values({ code: p.code, text: p.text, raised: p.raised, cleared: null })
);
const open = compile(tables.selectFrom("alarms").selectAll().where("cleared", "is", null).orderBy("id"));
const same = query((p: { code: string; text: string }) =>
  tables.selectFrom("alarms").select("id").where("code", "=", p.code).where("text", "=", p.text)
    .where("cleared", "is", null).limit(1)
);
const openCount = compile(
  tables.selectFrom("alarms").select((e) => e.fn.countAll<number>().as("count")).where("cleared", "is", null),
);
const clear = query((p: { id: number; cleared: number }) =>
  tables.updateTable("alarms").set({ cleared: p.cleared }).where("id", "=", p.id).where("cleared", "is", null)
);

/** An alarm that nobody has cleared. */
export interface Alarm {
  readonly id: number;
  readonly code: string;
  readonly text: string;
  readonly raised: number;
}

/** Raises an alarm, unless the same one is open. `now` in Millis. */
export async function raiseAlarm(db: Database, code: ErrorCode, text: string, now: number): Promise<void> {
  if ((await db.execute(same.bind({ code, text }))).rows.length > 0) return;
  if (((await db.execute(openCount)).rows[0]?.count ?? 0) >= LIMITS.maxOpenAlarms) return;
  await db.execute(insert.bind({ code, text, raised: now }));
}

export async function openAlarms(db: Database): Promise<readonly Alarm[]> {
  return (await db.execute(open)).rows;
}

/** Clears these alarms, and none that came meanwhile; returns how many of them were open. @param now Millis */
export async function clearAlarms(db: Database, alarms: readonly Pick<Alarm, "id">[], now: number): Promise<number> {
  const results = await db.batch(alarms.map(({ id }) => clear.bind({ id, cleared: now })));
  return results.reduce((sum, { changes }) => sum + changes, 0);
}

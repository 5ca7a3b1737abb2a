/** Numbers that only go up. They are raised in SQL, so that two processes on one database never take the same one. */
import type { Database, Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import { tables } from "./tables.ts";

export const COUNTERS = {
  /** Raised with every change of an entry, by triggers. */
  entriesVersion: "entries-version",
  /** Raised with every change of the list of active devices. */
  devicesVersion: "devices-version",
  /** Highest registration given out. */
  registration: "registration",
  /** Number of the last deletion of tables ordered at the edge (spec: PUSH-09). */
  deletion: "deletion",
  /** Highest epoch ever begun. */
  epoch: "epoch",
} as const;

export type CounterName = (typeof COUNTERS)[keyof typeof COUNTERS];

const selectCounter = query((p: { name: string }) =>
  tables.selectFrom("counters").select("value").where("name", "=", p.name).limit(1)
);
const raiseCounter = query((p: { name: string }) =>
  tables.updateTable("counters").set((e) => ({ value: e("value", "+", 1) })).where("name", "=", p.name)
    .returning("value")
);
const raiseAboveCounter = query((p: { name: string; above: number }) =>
  tables.updateTable("counters").set((e) => ({ value: e(e.fn<number>("max", ["value", e.val(p.above)]), "+", 1) }))
    .where("name", "=", p.name).returning("value")
);

const writeCounter = query((p: { name: string; value: number }) =>
  tables.updateTable("counters").set({ value: p.value }).where("name", "=", p.name)
);

/** Sets a counter that nobody else uses yet; it must not go back. */
export function setCounter(name: CounterName, value: number): Statement<never> {
  return writeCounter.bind({ name, value });
}

/** Raises a counter; the row of the result has its new value. */
export function raise(name: CounterName): Statement<{ value: number }> {
  return raiseCounter.bind({ name });
}

/** The present value of a counter. */
export async function readCounter(db: Database, name: CounterName): Promise<number> {
  const { rows: [row] } = await db.execute(selectCounter.bind({ name }));
  if (row === undefined) throw new PosternError("storage", `The manager's database has no counter '${name}'`);
  return row.value;
}

/** Raises a counter, above `above` as well, and tells its new value. */
export async function next(db: Database, name: CounterName, above = 0): Promise<number> {
  const { rows: [row] } = await db.execute(raiseAboveCounter.bind({ name, above }));
  if (row === undefined) throw new PosternError("storage", `The manager's database has no counter '${name}'`);
  return row.value;
}

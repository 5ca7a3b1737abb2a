/** The push under way, as it is remembered across a crash, and the switch of what is placed once it is committed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { headCommitted } from "../heads/repository.ts";
import type { PushesTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import { applyStaged, dropPlaced, forgetStaged } from "./placed.ts";

const open = compile(tables.selectFrom("pushes").selectAll().limit(1));
const insert = query((p: PushesTable & Record<string, string | number | Bytes>) =>
  tables.insertInto("pushes").values({
    ...{ id: p.id, base: p.base, epoch: p.epoch, is_full: p.is_full, chunks: p.chunks, secret: p.secret },
    ...{ entries_version: p.entries_version, state: p.state, created: p.created },
  })
);
const clear = compile(tables.deleteFrom("pushes"));
const signed = query((p: { id: Bytes }) =>
  tables.updateTable("pushes").set({ state: "signed" }).where("id", "=", p.id)
);
const epochState = query((p: { epoch: number; state: string }) =>
  tables.updateTable("epochs").set({ state: p.state }).where("epoch", "=", p.epoch)
);
const retireOthers = query((p: { epoch: number }) =>
  tables.updateTable("epochs").set({ state: "past" }).where("epoch", "<>", p.epoch).where("state", "=", "current")
);
const forgetSymKeys = compile(
  tables.updateTable("epochs").set({ sym_key: new Uint8Array(0) }).where("state", "=", "past"),
);
const forgetWraps = compile(
  tables.deleteFrom("wraps").where(
    "epoch",
    "in",
    (e) => e.selectFrom("epochs").select("epoch").where("state", "=", "past"),
  ),
);
const sealedMore = query((p: { epoch: number; rows: number }) =>
  tables.updateTable("epochs").set((e) => ({ sealed: e("sealed", "+", p.rows) })).where("epoch", "=", p.epoch)
);
const unfinished = query((p: { state: string }) =>
  tables.selectFrom("epochs").select("epoch").where("state", "=", p.state)
);
const strays = compile(
  tables.selectFrom("placed").select("epoch").distinct().where(
    "epoch",
    "not in",
    (e) => e.selectFrom("epochs").select("epoch").where("state", "in", ["current", "building"]),
  ),
);

/** The push that was under way when the manager last stopped, or null. */
export async function openPush(db: Database): Promise<PushesTable | null> {
  return (await db.execute(open)).rows[0] ?? null;
}

export function recordPush(push: PushesTable): Statement<never> {
  return insert.bind({ ...push });
}

/** Notes that the head of this push is signed: the edge may have committed it from now on. */
export function recordSigned(id: Bytes): Statement<never> {
  return signed.bind({ id });
}

/** Counts rows sealed under an epoch, before they are sealed (spec: KEY-04). */
export function countSealed(epoch: number, rows: number): Statement<never> {
  return sealedMore.bind({ epoch, rows });
}

/** The edge holds this push's generation: what it carried is what is placed, in one step. */
export async function settlePush(db: Database, push: PushesTable, generation: number): Promise<void> {
  const switched = push.is_full === 1
    ? [
      retireOthers.bind({ epoch: push.epoch }),
      epochState.bind({ epoch: push.epoch, state: "current" }),
      forgetStaged(),
    ]
    : applyStaged(push.epoch);
  await db.batch([...switched, headCommitted(generation), clear]);
}

/** Forgets a push that will not be committed: the edge never switched to it. */
export async function dropPush(db: Database): Promise<void> {
  const { rows } = await db.execute(unfinished.bind({ state: "building" }));
  await db.batch([
    ...rows.map(({ epoch }) => epochState.bind({ epoch, state: "past" })),
    forgetStaged(),
    clear,
  ]);
}

/** Deletes what past epochs leave behind: their keys at once, what was placed in them in bounded steps. */
export async function sweepEpochs(db: Database): Promise<void> {
  await db.batch([forgetSymKeys, forgetWraps]);
  for (const { epoch } of (await db.execute(strays)).rows) await dropPlaced(db, epoch);
}

/** Rows of epochs and wraps: what becomes of an epoch, from being built to being forgotten. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import type { EpochsTable, WrapsTable } from "../store/schema_push.ts";
import { tables } from "../store/tables.ts";
import { dropBlocks } from "./trees/blocks.ts";
import { dropPlaced } from "./trees/placed.ts";

export const currentEpochRow = compile(
  tables.selectFrom("epochs").selectAll().where("state", "=", "current").limit(1),
);
export const epochRow = query((p: { epoch: number }) =>
  tables.selectFrom("epochs").selectAll().where("epoch", "=", p.epoch).limit(1)
);
export const wrapsOf = query((p: { epoch: number }) =>
  tables.selectFrom("wraps").selectAll().where("epoch", "=", p.epoch)
);

const insert = query((p: EpochsTable & Record<string, string | number | Bytes>) =>
  tables.insertInto("epochs").values({
    ...{ epoch: p.epoch, incarnation: p.incarnation, sym_key: p.sym_key, state: p.state, created: p.created },
    ...{ devices_version: p.devices_version, recovery_encapsulated: p.recovery_encapsulated, sealed: p.sealed },
    ...{ recovery_ciphertext: p.recovery_ciphertext, classical: p.classical, is_verified: p.is_verified },
    has_nodes: p.has_nodes,
  })
);
const insertWrap = query((p: WrapsTable & Record<string, number | Bytes>) =>
  tables.insertInto("wraps").values({
    ...{ epoch: p.epoch, device: p.device, encapsulated: p.encapsulated, wrapped: p.wrapped },
  })
);
const retire = compile(tables.updateTable("epochs").set({ state: "past" }).where("state", "=", "current"));
const promote = query((p: { epoch: number }) =>
  tables.updateTable("epochs").set({ state: "current" }).where("epoch", "=", p.epoch)
);
const drop = compile(tables.updateTable("epochs").set({ state: "dropped" }).where("state", "=", "building"));
const sealedMore = query((p: { epoch: number; rows: number }) =>
  tables.updateTable("epochs").set((e) => ({ sealed: e("sealed", "+", p.rows) })).where("epoch", "=", p.epoch)
);
const setVerified = query((p: { epoch: number; is_verified: number }) =>
  tables.updateTable("epochs").set({ is_verified: p.is_verified }).where("epoch", "=", p.epoch)
);
const setNodes = query((p: { epoch: number; has_nodes: number }) =>
  tables.updateTable("epochs").set({ has_nodes: p.has_nodes }).where("epoch", "=", p.epoch)
);
const useless = compile(
  tables.selectFrom("epochs").select("epoch").where((e) =>
    e.or([
      e("state", "=", "dropped"),
      e.and([
        e("state", "=", "past"),
        e(
          "epoch",
          "<",
          e.selectFrom("epochs as later").select((l) => l.fn.max("later.epoch").as("epoch"))
            .where("later.is_verified", "=", 1),
        ),
      ]),
    ])
  ),
);
const misplaced = compile(
  tables.selectFrom("epochs").select("epoch").where("state", "in", ["past", "dropped"]),
);
const forgetWraps = query((p: { epoch: number }) => tables.deleteFrom("wraps").where("epoch", "=", p.epoch));
const forget = query((p: { epoch: number }) => tables.deleteFrom("epochs").where("epoch", "=", p.epoch));

/** Stores an epoch that is being built, with the wraps of its sym key. */
export function insertEpoch(row: EpochsTable, wraps: readonly WrapsTable[]): Statement<never>[] {
  return [insert.bind({ ...row }), ...wraps.map((wrap) => insertWrap.bind({ ...wrap }))];
}

/** The edge has switched to this epoch. */
export function switchEpoch(epoch: number): Statement<never>[] {
  return [retire, promote.bind({ epoch })];
}

/** Gives up what is being built. */
export function dropBuilding(): Statement<never> {
  return drop;
}

/** Counts rows sealed under an epoch, before they are sealed (spec: KEY-04). */
export function countSealed(epoch: number, rows: number): Statement<never> {
  return sealedMore.bind({ epoch, rows });
}

/** Notes whether the edge has shown everything as it was pushed. */
export function verifiedEpoch(epoch: number, isVerified: boolean): Statement<never> {
  return setVerified.bind({ epoch, is_verified: isVerified ? 1 : 0 });
}

/** Notes whether what is pushed in this epoch came with the nodes of its trees, and they are good (spec: PUSH-13, PUSH-15). */
export function epochHasNodes(epoch: number, hasNodes: boolean): Statement<never> {
  return setNodes.bind({ epoch, has_nodes: hasNodes ? 1 : 0 });
}

/** Deletes what former epochs leave behind, in bounded steps; the keys of those before one that was read back, and of dropped ones. */
export async function sweepEpochs(db: Database): Promise<void> {
  for (const { epoch } of (await db.execute(misplaced)).rows) {
    await dropPlaced(db, epoch);
    await dropBlocks(db, epoch);
  }
  for (const { epoch } of (await db.execute(useless)).rows) {
    await db.batch([forgetWraps.bind({ epoch }), forget.bind({ epoch })]);
  }
}

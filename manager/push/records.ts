/** The push under way, as it is remembered across a crash, and what becomes of it. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { headCommitted } from "../heads/repository.ts";
import type { PushesTable } from "../store/schema_push.ts";
import { tables } from "../store/tables.ts";
import { changesPlaced } from "./plan/changes.ts";
import { applyStagedBlocks, forgetStagedBlocks } from "./trees/blocks.ts";
import { countSealed, dropBuilding, epochHasNodes, switchEpoch } from "./epoch_records.ts";
import { applyStaged } from "./trees/placed.ts";
import { forgetStaged } from "./plan/staged.ts";

const open = compile(tables.selectFrom("pushes").selectAll().limit(1));
const insert = query((p: PushesTable & Record<string, string | number | null | Bytes>) =>
  tables.insertInto("pushes").values({
    ...{ id: p.id, base: p.base, epoch: p.epoch, is_full: p.is_full, chunks: p.chunks, secret: p.secret },
    ...{ entries_version: p.entries_version, staged: p.staged, generation: p.generation, created: p.created },
    newest: p.newest,
  })
);
const clear = compile(tables.deleteFrom("pushes"));
const sign = query((p: { id: Bytes; generation: number }) =>
  tables.updateTable("pushes").set({ generation: p.generation }).where("id", "=", p.id)
);
const stage = query((p: { id: Bytes; staged: number }) =>
  tables.updateTable("pushes").set({ staged: p.staged }).where("id", "=", p.id).where("staged", "<", p.staged)
);

/** The push that was under way when the manager last stopped, or null. */
export async function openPush(db: Database): Promise<PushesTable | null> {
  return (await db.execute(open)).rows[0] ?? null;
}

/** Notes a push and the rows that it will seal, before anything is sealed or sent. There is one at a time. */
export function recordPush(push: PushesTable, rows: number): Statement<never>[] {
  return [forgetStaged(), forgetStagedBlocks(), clear, insert.bind({ ...push }), countSealed(push.epoch, rows)];
}

/** Notes that the rows of the first `chunks` chunks are staged. */
export function recordStaged(id: Bytes, chunks: number): Statement<never> {
  return stage.bind({ id, staged: chunks });
}

/** Notes that a head of this push is signed: the edge may have committed it, and the nodes of its trees, from now on. */
export function recordSigned({ id, epoch, is_full }: PushesTable, generation: number): Statement<never>[] {
  return [sign.bind({ id, generation }), ...is_full === 1 ? [epochHasNodes(epoch, true)] : []];
}

/** The edge holds this push's generation: what it carried is what is placed, in one step. */
export async function settlePush(db: Database, push: PushesTable, generation: number): Promise<void> {
  const switched = push.is_full === 1
    ? [...switchEpoch(push.epoch), forgetStaged()]
    : [...applyStaged(push.epoch), ...applyStagedBlocks(push.epoch)];
  await db.batch([...switched, changesPlaced(push.entries_version), headCommitted(generation), clear]);
}

/** Forgets a push that will not be committed. */
export async function dropPush(db: Database): Promise<void> {
  await db.batch([dropBuilding(), forgetStaged(), forgetStagedBlocks(), clear]);
}

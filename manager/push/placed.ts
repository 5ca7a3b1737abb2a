/** What the edge holds, row by row, as far as the manager must remember it: for deltas, roots and reading back. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { type Leaf, treeKey } from "../../shared/merkle/tree_hash.ts";
import type { PlacedTable, StagedTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";

/** Rows read at once: enough to be quick, few enough to be small. */
const PAGE_ROWS = 4_000;

const insertPlaced = query((p: PlacedTable & Record<string, number | Bytes>) =>
  tables.insertInto("placed").values({
    ...{ epoch: p.epoch, content_key: p.content_key, content_hash: p.content_hash, tbl: p.tbl, token: p.token },
    ...{ number: p.number, row_hash: p.row_hash },
  }).onConflict((c) =>
    c.columns(["epoch", "content_key"]).doUpdateSet({ content_hash: p.content_hash, row_hash: p.row_hash })
  )
);
const insertStaged = query((p: StagedTable & Record<string, number | null | Bytes>) =>
  tables.insertInto("staged").values({
    ...{ content_key: p.content_key, content_hash: p.content_hash, tbl: p.tbl, token: p.token, number: p.number },
    row_hash: p.row_hash,
  })
);
const inOrder = query((p: { epoch: number; tbl: number; token: Bytes; number: number; limit: number }) =>
  tables.selectFrom("placed").select(["token", "number", "row_hash"])
    .where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where((e) => e(e.refTuple("token", "number"), ">", e.tuple(p.token, p.number)))
    .orderBy("token").orderBy("number").limit(p.limit)
);
const contents = query((p: { epoch: number; key: Bytes; limit: number }) =>
  tables.selectFrom("placed").select(["content_key", "content_hash"]).where("epoch", "=", p.epoch)
    .where("content_key", ">", p.key).orderBy("content_key").limit(p.limit)
);
const clearStaged = compile(tables.deleteFrom("staged"));
const dropPage = query((p: { epoch: number; limit: number }) =>
  tables.deleteFrom("placed").where("epoch", "=", p.epoch).where(
    "content_key",
    "in",
    (e) => e.selectFrom("placed").select("content_key").where("epoch", "=", p.epoch).limit(p.limit),
  )
);
const applyRemovals = query((p: { epoch: number }) =>
  tables.deleteFrom("placed").where("epoch", "=", p.epoch)
    .where("content_key", "in", (e) => e.selectFrom("staged").select("content_key"))
);
const applyRows = query((p: { epoch: number }) =>
  tables.insertInto("placed")
    .columns(["epoch", "content_key", "content_hash", "tbl", "token", "number", "row_hash"])
    .expression((e) =>
      e.selectFrom("staged").select((s) => [
        s.val(p.epoch).as("epoch"),
        "content_key",
        s.ref("content_hash").$notNull().as("content_hash"),
        "tbl",
        "token",
        "number",
        s.ref("row_hash").$notNull().as("row_hash"),
      ]).where("content_hash", "is not", null)
    )
);

/** Remembers a row of an epoch that is being built; it counts once the epoch is the current one. */
export function placeRow(placed: PlacedTable): Statement<never> {
  return insertPlaced.bind({ ...placed });
}

/** Notes a change of the current epoch that counts once the edge has confirmed the delta. */
export function stageRow(staged: StagedTable): Statement<never> {
  return insertStaged.bind({ ...staged });
}

/** Forgets a delta that will not be committed. */
export function forgetStaged(): Statement<never> {
  return clearStaged;
}

/** Carries a confirmed delta into what is placed. */
export function applyStaged(epoch: number): Statement<never>[] {
  return [applyRemovals.bind({ epoch }), applyRows.bind({ epoch }), clearStaged];
}

/** Deletes what was placed in a past epoch, in bounded steps. */
export async function dropPlaced(db: Database, epoch: number): Promise<void> {
  while ((await db.execute(dropPage.bind({ epoch, limit: PAGE_ROWS }))).changes > 0) { /* the next page */ }
}

/** The leaves of a table's tree, in the order of their keys. */
export async function* placedLeaves(db: Database, epoch: number, tbl: number): AsyncGenerator<Leaf> {
  let after: { token: Bytes; number: number } = { token: new Uint8Array(0), number: -1 };
  while (true) {
    const { rows } = await db.execute(inOrder.bind({ epoch, tbl, ...after, limit: PAGE_ROWS }));
    for (const { token, number, row_hash } of rows) yield { key: treeKey(token, number), rowHash: row_hash };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = { token: last.token, number: last.number };
  }
}

/** The leaves of the content tree, in the order of their keys. */
export async function* contentLeaves(db: Database, epoch: number): AsyncGenerator<Leaf> {
  let after: Bytes = new Uint8Array(0);
  while (true) {
    const { rows } = await db.execute(contents.bind({ epoch, key: after, limit: PAGE_ROWS }));
    for (const { content_key, content_hash } of rows) yield { key: content_key, rowHash: content_hash };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.content_key;
  }
}

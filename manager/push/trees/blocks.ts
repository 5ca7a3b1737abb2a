/** Blocks of the trees over what is placed, and what a delta does to them: kept, so that a delta costs what it changes. */
import { sql } from "kysely";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { compile, query } from "../../../shared/database/query.ts";
import type { PushedBlock } from "../../edge/link.ts";
import { tables } from "../../store/tables.ts";

/** The content tree among the numbers of tables. */
export const CONTENT_TREE = 0;

/** A block as it is stored; null for one that goes. */
export interface StoredBlock {
  readonly path: string;
  readonly block: Bytes | null;
}

/** Blocks read or written at once: a MiB at most. */
const BLOCKS_AT_ONCE = 800;
/** Blocks deleted at once: other processes wait that long. */
const STEP_BLOCKS = 10_000;

interface Packed extends Record<string, Bytes | number | string> {
  tbl: number;
  /** [path, where in the bytes it begins, how long it is or null]. */
  places: string;
  bytes: Bytes;
}

const part = (bytes: Bytes) => sql<Bytes>`substr(${bytes}, (j.value ->> 1) + 1, j.value ->> 2)`;

const insert = query((p: Packed & { epoch: number }) =>
  tables.insertInto("blocks").columns(["epoch", "tbl", "path", "block"]).expression(
    sql`SELECT ${p.epoch}, ${p.tbl}, j.value ->> 0, ${part(p.bytes)} FROM json_each(${p.places}) j`,
  )
);
const stage = query((p: Packed) =>
  tables.insertInto("staged_blocks").columns(["tbl", "path", "block"]).expression(
    sql`SELECT ${p.tbl}, j.value ->> 0, iif(j.value ->> 2 IS NULL, NULL, ${part(p.bytes)})
      FROM json_each(${p.places}) j`,
  )
);
const byPaths = query((p: { epoch: number; tbl: number; paths: string }) =>
  tables.selectFrom("blocks").select(["path", "block"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where("path", "in", sql<string>`(SELECT value FROM json_each(${p.paths}))`)
);
const stagedInOrder = query((p: { tbl: number; path: string; limit: number }) =>
  tables.selectFrom("staged_blocks").selectAll().where((e) => e(e.refTuple("tbl", "path"), ">", e.tuple(p.tbl, p.path)))
    .orderBy("tbl").orderBy("path").limit(p.limit)
);
const dropSome = query((p: { epoch: number; limit: number }) =>
  tables.deleteFrom("blocks").where(
    "id",
    "in",
    (e) => e.selectFrom("blocks").select("id").where("epoch", "=", p.epoch).limit(p.limit),
  )
);
// From what is staged to what is placed: the other way round, SQLite would go through every block of the epoch.
const removeStaged = query((p: { epoch: number }) =>
  tables.deleteFrom("blocks").where(
    "id",
    "in",
    sql<number>`(SELECT b.id FROM staged_blocks s
      CROSS JOIN blocks b ON b.epoch = ${p.epoch} AND b.tbl = s.tbl AND b.path = s.path)`,
  )
);
const placeStaged = query((p: { epoch: number }) =>
  tables.insertInto("blocks").columns(["epoch", "tbl", "path", "block"]).expression((e) =>
    e.selectFrom("staged_blocks").select((s) => [
      s.val(p.epoch).as("epoch"),
      ...["tbl", "path"] as const,
      s.ref("block").$notNull().as("block"),
    ]).where("block", "is not", null)
  )
);
const clear = compile(tables.deleteFrom("staged_blocks"));

/** Puts new blocks of a tree into their place. */
export async function placeBlocks(
  db: Database,
  epoch: number,
  tbl: number,
  blocks: readonly StoredBlock[],
): Promise<void> {
  for (const packed of pack(blocks)) await db.execute(insert.bind({ epoch, tbl, ...packed }));
}

/** Notes what the delta under way does to the blocks of a tree. */
export async function stageBlocks(db: Database, tbl: number, blocks: readonly StoredBlock[]): Promise<void> {
  for (const packed of pack(blocks)) await db.execute(stage.bind({ tbl, ...packed }));
}

/** Those blocks of these paths that there are. */
export async function readBlocks(
  db: Database,
  epoch: number,
  tbl: number,
  paths: readonly string[],
): Promise<Map<string, Bytes>> {
  const found = new Map<string, Bytes>();
  for (let at = 0; at < paths.length; at += BLOCKS_AT_ONCE) {
    const some = JSON.stringify(paths.slice(at, at + BLOCKS_AT_ONCE));
    const { rows } = await db.execute(byPaths.bind({ epoch, tbl, paths: some }));
    for (const { path, block } of rows) found.set(path, block);
  }
  return found;
}

/** What the delta under way does to the blocks of tables, always in the same order, page by page. */
export async function* stagedTableBlocks(db: Database): AsyncGenerator<readonly PushedBlock[]> {
  // Nothing comes after the content tree's last path but the tables.
  let after = { tbl: CONTENT_TREE, path: "g" };
  while (true) {
    const { rows } = await db.execute(stagedInOrder.bind({ ...after, limit: BLOCKS_AT_ONCE }));
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BLOCKS_AT_ONCE) return;
    after = { tbl: last.tbl, path: last.path };
  }
}

/** Carries a confirmed delta into the blocks. */
export function applyStagedBlocks(epoch: number): Statement<never>[] {
  return [removeStaged.bind({ epoch }), placeStaged.bind({ epoch }), clear];
}

/** Forgets what a delta would do. */
export function forgetStagedBlocks(): Statement<never> {
  return clear;
}

/** Deletes the blocks of an epoch, in bounded steps. */
export async function dropBlocks(db: Database, epoch: number): Promise<void> {
  while ((await db.execute(dropSome.bind({ epoch, limit: STEP_BLOCKS }))).changes > 0) { /* the next step */ }
}

/** One statement for many blocks, whose bytes come in one piece: one for each takes ten times as long. */
function* pack(blocks: readonly StoredBlock[]): Generator<{ places: string; bytes: Bytes }> {
  for (let at = 0; at < blocks.length; at += BLOCKS_AT_ONCE) {
    const some = blocks.slice(at, at + BLOCKS_AT_ONCE);
    let start = 0;
    const places = some.map(({ path, block }) => {
      const place = [path, start, block?.length ?? null];
      start += block?.length ?? 0;
      return place;
    });
    yield { places: JSON.stringify(places), bytes: concat(...some.map(({ block }) => block ?? NOTHING)) };
  }
}

const NOTHING: Bytes = new Uint8Array(0);

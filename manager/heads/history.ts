/** The history tree over the heads of this incarnation, node by node: what an edge proves with that heads follow each other. */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { PosternError } from "../../shared/errors.ts";
import {
  appendToHistory,
  decodeHistory,
  EMPTY_HISTORY,
  encodeHistory,
  type History,
  type HistoryNode,
} from "../../shared/merkle/history.ts";
import { findBytes, META } from "../store/meta.ts";
import { tables } from "../store/tables.ts";
import { newestHead } from "./repository.ts";

/** Heads whose nodes are made, and nodes that are read, at once. */
const PAGE = 1_000;

const insert = query((p: { level: number; index: number; hash: Bytes; generation: number }) =>
  tables.insertInto("history").values({ level: p.level, idx: p.index, hash: p.hash, generation: p.generation })
    .onConflict((c) => c.columns(["level", "idx"]).doNothing())
);
const lastLeaf = compile(
  tables.selectFrom("history").select("idx").where("level", "=", 0).orderBy("idx", "desc").limit(1),
);
const hashesAfter = query((p: { generation: number; limit: number }) =>
  tables.selectFrom("heads").select(["generation", "hash"]).where("generation", ">", p.generation)
    .orderBy("generation").limit(p.limit)
);
const completed = query((p: { generation: number; level: number; to: number; limit: number }) =>
  tables.selectFrom("history").select(["level", "idx", "hash", "generation"])
    .where((e) => e(e.refTuple("generation", "level"), ">", e.tuple(p.generation, p.level)))
    .where("generation", "<=", p.to).orderBy("generation").orderBy("level").limit(p.limit)
);

/** The right edge of the tree over all heads signed so far. */
export async function readHistory(db: Database): Promise<History> {
  const stored = await findBytes(db, META.history);
  return stored === null ? EMPTY_HISTORY : decodeHistory(stored);
}

/** Stores the nodes that a head completes; goes into the batch that stores the head. */
export function putHistoryNodes(nodes: readonly HistoryNode[], generation: number): Statement<never>[] {
  return nodes.map((node) => insert.bind({ ...node, generation }));
}

/**
 * Makes the nodes of heads that were signed before nodes were kept, from the hashes of the heads. Once they are there, it looks at
 * one row.
 *
 * @throws `storage` when the heads are not those that the history was made of
 */
export async function completeHistory(db: Database): Promise<void> {
  const history = await readHistory(db);
  const last = (await db.execute(lastLeaf)).rows[0]?.idx ?? -1;
  if (last + 1 >= history.size) return;
  const newest = (await newestHead(db))?.generation ?? 0;
  let made = EMPTY_HISTORY;
  for (let after = newest - history.size; after < newest;) {
    const { rows } = await db.execute(hashesAfter.bind({ generation: after, limit: PAGE }));
    const statements: Statement<never>[] = [];
    for (const { generation, hash } of rows) {
      const extended = appendToHistory(made, hash);
      made = extended.history;
      statements.push(...putHistoryNodes(extended.nodes, generation));
      after = generation;
    }
    if (statements.length === 0) break;
    await db.batch(statements);
  }
  if (equalBytes(encodeHistory(made), encodeHistory(history))) return;
  throw new PosternError("storage", "The heads in the manager's database are not those that its history was made of");
}

/** The nodes that the heads of these generations completed, both ends included, head by head, page by page. */
export async function* historyNodes(db: Database, from: number, to: number): AsyncGenerator<HistoryNode[]> {
  let after = { generation: from - 1, level: Number.MAX_SAFE_INTEGER };
  while (true) {
    const { rows } = await db.execute(completed.bind({ ...after, to, limit: PAGE }));
    yield rows.map(({ level, idx, hash }) => ({ level, index: idx, hash }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = { generation: last.generation, level: last.level };
  }
}

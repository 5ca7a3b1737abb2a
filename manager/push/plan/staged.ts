/** What the push under way sends, as it is noted down before it is sent. */
import { sql } from "kysely";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { compile, query } from "../../../shared/database/query.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import { isContentLeaf } from "../../store/covers.ts";
import { tables } from "../../store/tables.ts";

/** A row that comes, or, without hashes, goes. */
export interface StagedRow {
  readonly contentKey: Bytes;
  readonly contentHash: Bytes | null;
  readonly tbl: number;
  readonly token: Bytes;
  readonly number: number;
  readonly rowHash: Bytes | null;
}

/** A leaf that comes or changes, or, with null, goes. */
export interface LeafChange {
  readonly key: Bytes;
  readonly rowHash: Bytes | null;
}

/** Changes read at once. */
const PAGE_ROWS = 500;
const KEY_BYTES = 40;
const HASH_BYTES = 32;

interface Packed extends Record<string, Bytes | number | string> {
  chunk: number;
  places: string;
  keys: Bytes;
  contents: Bytes;
  tokens: Bytes;
  rows: Bytes;
}

const part = (from: Bytes, width: number) =>
  sql<Bytes>`substr(${from}, j.key * ${sql.lit(width)} + 1, ${sql.lit(width)})`;

// One statement for any number of rows, whose bytes come in one piece: a statement for each row takes ten times as long. A place is
// [table, number, whether it comes].
const insert = query((p: Packed) =>
  tables.insertInto("staged")
    .columns(["chunk", "place", "content_key", "content_hash", "tbl", "token", "number", "row_hash"])
    .expression(
      sql`SELECT ${p.chunk}, j.key, ${part(p.keys, KEY_BYTES)}, iif(j.value ->> 2, ${
        part(p.contents, HASH_BYTES)
      }, NULL),
        j.value ->> 0, ${part(p.tokens, HASH_BYTES)}, j.value ->> 1, iif(j.value ->> 2, ${
        part(p.rows, HASH_BYTES)
      }, NULL)
        FROM json_each(${p.places}) j`,
    )
);
const clearChunk = query((p: { chunk: number }) => tables.deleteFrom("staged").where("chunk", "=", p.chunk));
const clearAll = compile(tables.deleteFrom("staged"));
const changesInOrder = query((p: { tbl: number; token: Bytes; number: number; limit: number }) =>
  tables.selectFrom("staged").select(["token", "number"])
    // Of a row that is replaced, one line goes and one comes; the hash is greater than NULL.
    .select(sql<Bytes | null>`max(row_hash)`.as("row_hash"))
    .where("tbl", "=", p.tbl).where((e) => e(e.refTuple("token", "number"), ">", e.tuple(p.token, p.number)))
    .groupBy(["token", "number"]).orderBy("token").orderBy("number").limit(p.limit)
);
const contentsInOrder = query((p: { key: Bytes; limit: number }) =>
  tables.selectFrom("staged").select("content_key").select(sql<Bytes | null>`max(content_hash)`.as("hash"))
    .where("content_key", ">", p.key).where(isContentLeaf(sql.ref("content_key"))).groupBy("content_key").orderBy(
      "content_key",
    ).limit(p.limit)
);

const NOTHING: Bytes = new Uint8Array(0);
const NO_HASH: Bytes = new Uint8Array(HASH_BYTES);

/** Notes the rows of a chunk, instead of what was noted for it before; goes into the batch that counts the chunk. */
export function stageChunk(chunk: number, rows: readonly StagedRow[]): Statement<never>[] {
  const packed: Packed = {
    chunk,
    places: JSON.stringify(rows.map(({ tbl, number, rowHash }) => [tbl, number, rowHash === null ? 0 : 1])),
    keys: concat(...rows.map(({ contentKey }) => contentKey)),
    contents: concat(...rows.map(({ contentHash }) => contentHash ?? NO_HASH)),
    tokens: concat(...rows.map(({ token }) => token)),
    rows: concat(...rows.map(({ rowHash }) => rowHash ?? NO_HASH)),
  };
  return [clearChunk.bind({ chunk }), insert.bind(packed)];
}

/** Forgets what is staged. */
export function forgetStaged(): Statement<never> {
  return clearAll;
}

/** What changes in a table's tree, in the order of keys, page by page. */
export async function* stagedLeaves(db: Database, tbl: number): AsyncGenerator<LeafChange[]> {
  let after: { token: Bytes; number: number } = { token: NOTHING, number: -1 };
  while (true) {
    const { rows } = await db.execute(changesInOrder.bind({ tbl, ...after, limit: PAGE_ROWS }));
    yield rows.map(({ token, number, row_hash }) => ({ key: treeKey(token, number), rowHash: row_hash }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = { token: last.token, number: last.number };
  }
}

/** What changes in the content tree, in the order of keys, page by page. */
export async function* stagedContents(db: Database): AsyncGenerator<LeafChange[]> {
  let after: Bytes = NOTHING;
  while (true) {
    const { rows } = await db.execute(contentsInOrder.bind({ key: after, limit: PAGE_ROWS }));
    yield rows.map(({ content_key, hash }) => ({ key: content_key, rowHash: hash }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.content_key;
  }
}

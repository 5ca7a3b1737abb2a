/**
 * All that a database shows to somebody who cannot decrypt: its schema, how many rows there are, each clear value, the size of each
 * blob. What is random or follows from the random order of a push is masked, since it tells nothing: how many chunks a push has is such a
 * thing, since a row that does not fit into what is left of one begins another. Blocks are left out: how the tree branches follows from
 * tokens that look random, and their bytes are hashes.
 */
import { BLOCKS } from "../../edge/store/schema.ts";
import type { Database, Row } from "../../shared/database/database.ts";

export interface Profile {
  /** The SQL of everything in it. */
  readonly schema: readonly string[];
  /** Each row as it looks from outside, by table, sorted. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
}

/** Numbers that follow from the order in which rows were sent, which is random, and the sum of the sizes of rows and blocks. */
const BY_CHANCE: ReadonlySet<string> = new Set(
  ["rows.id", "devices.row", "spaces.bytes", "pushes.chunks", "pushes.received"],
);
/** One row for each chunk of a push. */
const CHUNKS = "push_chunks";

export async function profileOf(database: Database): Promise<Profile> {
  const { rows: objects } = await database.execute<
    { readonly type: string; readonly name: string; readonly sql: string }
  >({
    sql: "SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema ORDER BY type, name",
    params: [],
  });
  const tables: Record<string, string[]> = {};
  for (const { type, name } of objects) {
    if (type !== "table" || name === CHUNKS) continue;
    const { rows } = await database.execute<Row>({ sql: `SELECT * FROM "${name}"`, params: [] });
    tables[name] = rows.filter((row) => name !== "rows" || Number(row["tbl"]) < BLOCKS).map((row) => lookOf(name, row))
      .toSorted();
  }
  return { schema: objects.map(({ type, name, sql }) => `${type} ${name}: ${sql}`), tables };
}

function lookOf(table: string, row: Row): string {
  return Object.entries(row).map(([column, value]) => {
    if (BY_CHANCE.has(`${table}.${column}`)) return `${column}=*`;
    return `${column}=${value instanceof Uint8Array ? `${value.length} bytes` : value}`;
  }).join(" ");
}

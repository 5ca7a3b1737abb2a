/**
 * What is read of an edge's database, as shared/spec/storage.md names it. The edge's own description of its tables is the edge's: what
 * lies in a file of the adversary's is checked value by value.
 */
import { type AliasedRawBuilder, sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { builder, compile } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";

/** The version of the tables that shared/spec/storage.md describes. */
export const DUMP_VERSION = 5;

/** Tables and columns that are read. */
export const DUMP_TABLES = {
  postern_migrations: ["version"],
  owners: [
    ...["no", "id", "statement_number", "statement_hash", "statement", "generation", "epoch", "incarnation"] as const,
    ...["history", "head_hash", "head", "space"] as const,
  ],
  spaces: ["no", "owner", "devices", "certificates", "messages", "changes"],
  rows: ["id", "owner", "space", "tbl", "token", "number", "born", "died", "size", "body"],
  devices: ["owner", "space", "device", "born", "died", "registration", "row", "public_key"],
  history: ["owner", "incarnation", "level", "idx", "hash"],
} as const;

type Column = Bytes | number;

/** For building queries only: what a column holds is anybody's guess, and {@link blob} and {@link integer} find out. */
export type DumpTables = {
  readonly [T in keyof typeof DUMP_TABLES]: { readonly [C in (typeof DUMP_TABLES)[T][number]]: Column };
};

export const dumpTables = builder<DumpTables>();

/** A column's value if it is a byte string within the limit, and else null. */
export function blob<const A extends string>(column: string, maxBytes: number, as: A) {
  const value = sql.ref(column);
  return sql<Bytes | null>`CASE WHEN typeof(${value}) = 'blob' AND length(${value}) <= ${sql.lit(maxBytes)}
    THEN ${value} END`.as(as) as AliasedRawBuilder<Bytes | null, A>;
}

/** A column's value if it is a non-negative integer that JavaScript represents exactly, and else null. */
export function integer<const A extends string>(column: string, as: A) {
  const value = sql.ref(column);
  return sql<number | null>`CASE WHEN typeof(${value}) = 'integer'
    AND ${value} BETWEEN 0 AND ${sql.lit(Number.MAX_SAFE_INTEGER)} THEN ${value} END`.as(as) as AliasedRawBuilder<
    number | null,
    A
  >;
}

/** @throws `malformed` for a value of another type or beyond its limit, which {@link blob} and {@link integer} give as null */
export function present<T>(value: T | null, what: string): T {
  if (value !== null) return value;
  throw new PosternError("malformed", `The dump has no ${what}, or one of another type or size than an edge writes`);
}

const found = sql<string | null>`SELECT group_concat(m.name || ' ' || c.name, char(10)) AS columns
  FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
  WHERE m.type = 'table' AND m.sql LIKE 'CREATE TABLE %' AND c.hidden = 0
    AND m.name IN (${sql.join(Object.keys(DUMP_TABLES).map((name) => sql.lit(name)))})`;
const columns = compile({
  compile: () => found.compile(dumpTables) as ReturnType<ReturnType<typeof sql<{ columns: string | null }>>["compile"]>,
});
const versions = compile(
  dumpTables.selectFrom("postern_migrations").select(integer("version", "version")).orderBy("version").limit(
    DUMP_VERSION + 1,
  ),
);

/**
 * Real tables with these columns, of the version that is known.
 *
 * @throws `malformed` for another database than an edge's; `unsupported` for another version
 */
// spec: STORE-04
export async function requireSchema(dump: Pick<Database, "execute">): Promise<void> {
  const { rows: [line] } = await dump.execute(columns);
  const there = new Set((line?.columns ?? "").split("\n"));
  const lacks = (table: keyof typeof DUMP_TABLES) =>
    DUMP_TABLES[table].find((column) => !there.has(`${table} ${column}`));
  if (lacks("postern_migrations") !== undefined) throw malformed("postern_migrations");
  const { rows } = await dump.execute(versions);
  const version = rows.at(-1)?.version ?? 0;
  if (version !== DUMP_VERSION || rows.length !== DUMP_VERSION) {
    throw new PosternError(
      "unsupported",
      `The dump is of an edge's database of version ${version}; this manager reads version ${DUMP_VERSION}: ` +
        "update both to the same release",
    );
  }
  for (const table of Object.keys(DUMP_TABLES) as (keyof typeof DUMP_TABLES)[]) {
    if (lacks(table) !== undefined) throw malformed(table);
  }
}

function malformed(table: string): PosternError {
  return new PosternError("malformed", `The dump has no table '${table}' as an edge's database has`);
}

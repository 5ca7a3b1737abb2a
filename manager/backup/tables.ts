/** What of the manager's database goes into a backup, and reading it. */
// spec: BACKUP-04
import type { Database, Row, Value } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import type { ManagerSchema } from "../store/schema.ts";
import type { BackupRow, BackupTable } from "./records.ts";

/**
 * Every table, in the order in which its rows can be put back; what a new epoch makes anew is left out. Small tables without a rowid are
 * read at once.
 */
export const BACKUP_TABLES: Readonly<Record<keyof ManagerSchema, "paged" | "at once" | "left out">> = {
  meta: "at once",
  keys: "paged",
  statements: "paged",
  devices: "paged",
  certificates: "paged",
  channels: "paged",
  messages: "paged",
  entries: "paged",
  covers: "paged",
  change_lists: "paged",
  heads: "paged",
  streams: "paged",
  submissions: "paged",
  outgoing: "paged",
  alarms: "paged",
  forks: "paged",
  // spec: AUDIT-04
  events: "paged",
  mdks: "paged",
  registrations: "paged",
  shared_keys: "paged",
  update_configs: "paged",
  update_signers: "paged",
  update_lists: "paged",
  update_checks: "paged",
  releases: "paged",
  release_parts: "paged",
  // After everything whose triggers raise one of them.
  counters: "at once",
  ...{ changed: "left out", placed: "left out", leaves: "left out", staged: "left out" },
  ...{ blocks: "left out", staged_blocks: "left out", history: "left out" },
  ...{ wraps: "left out", epochs: "left out", pushes: "left out" },
};

/** Rows read at once: of the largest ones 16 MiB. */
const PAGE_ROWS = 32;
/** Bytes of rows in one record, about. */
const RECORD_BYTES = 262_144;

/** Version of a database's schema. */
export async function schemaVersion(db: Database): Promise<number> {
  const { rows: [row] } = await db.execute<{ version: number }>(
    { sql: "SELECT MAX(version) AS version FROM postern_migrations", params: [] },
  );
  return row?.version ?? 0;
}

/** The tables of a database that go into a backup, with their columns and numbers of rows. */
export async function backupTables(db: Database): Promise<BackupTable[]> {
  const names = Object.entries(BACKUP_TABLES).flatMap(([name, how]) => how === "left out" ? [] : [name]);
  return await Promise.all(names.map(async (name) => {
    const { rows: [counted] } = await db.execute<{ count: number }>(
      { sql: `SELECT COUNT(*) AS count FROM "${name}"`, params: [] },
    );
    return { name, columns: await columnsOf(db, name), count: counted?.count ?? 0 };
  }));
}

async function columnsOf(db: Database, name: string): Promise<string[]> {
  const { rows } = await db.execute<{ name: string }>(
    { sql: "SELECT name FROM pragma_table_info(?) ORDER BY cid", params: [name] },
  );
  if (rows.length === 0) throw new PosternError("storage", `The manager's database has no table '${name}'`);
  return rows.map((row) => row.name);
}

/** All rows of a table, a handful at a time. Nothing else may write to the database meanwhile. */
export async function* readTable(db: Database, { name, columns }: BackupTable): AsyncGenerator<BackupRow[]> {
  const isPaged = BACKUP_TABLES[name as keyof ManagerSchema] === "paged";
  const selected = columns.map((column) => `"${column}"`).join(", ");
  const sql = isPaged
    ? `SELECT rowid AS backup_rowid, ${selected} FROM "${name}" WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE_ROWS}`
    : `SELECT ${selected} FROM "${name}"`;
  let batch: BackupRow[] = [];
  let bytes = 0;
  for (let after: Value = -Number.MAX_SAFE_INTEGER;;) {
    const { rows }: { rows: readonly Row[] } = await db.execute<Row>({ sql, params: isPaged ? [after] : [] });
    for (const row of rows) {
      const values = columns.map((column) => row[column] ?? null);
      batch.push(values);
      bytes += values.reduce<number>((sum, value) => sum + sizeOf(value), 0);
      if (bytes < RECORD_BYTES) continue;
      yield batch;
      [batch, bytes] = [[], 0];
    }
    const last: Row | undefined = rows.at(-1);
    if (!isPaged || last === undefined || rows.length < PAGE_ROWS) break;
    after = last["backup_rowid"] ?? null;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf(value: Value): number {
  return value === null || typeof value === "number" ? 9 : 3 * value.length + 9;
}

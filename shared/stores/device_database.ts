/** What a device must not lose, in a database file: for Deno, Node and daemons. One file for each device. */
import type { Bytes } from "../bytes/bytes.ts";
import type { CopiedRow, CopyChange, CopyState, CopyStore } from "../client/memory/copy_store.ts";
import type { DeviceMemory } from "../client/memory/memory.ts";
import type { Database, Statement } from "../database/database.ts";
import { migrate, type Migration } from "../database/migrations.ts";
import { PosternError } from "../errors.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../protocol/tables.ts";

const MIGRATIONS: readonly Migration[] = [{
  version: 1,
  name: "a device's memory and its local copy",
  statements: [
    "CREATE TABLE memory (name TEXT PRIMARY KEY, bytes BLOB NOT NULL)",
    `CREATE TABLE copy (
      id INTEGER PRIMARY KEY CHECK (id = 1), statement BLOB NOT NULL, head BLOB NOT NULL, note BLOB)`,
    `CREATE TABLE copied (tbl INTEGER NOT NULL, key BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (tbl, key))
      WITHOUT ROWID`,
  ],
}];
const PAGE_ROWS = 500;

/** The places of one device. */
export interface DeviceDatabase {
  /** What it verified and what it handed in: its memory and its outbox. */
  readonly memory: DeviceMemory;
  readonly copy: CopyStore;
}

/**
 * Makes a database file the place of one device, or finds it there.
 *
 * @param db of `openDatabase("file:…")` with its default of what survives a loss of power; nothing else lies in it. Not a server's: a
 * copy is changed in one call, which no server takes at that size
 * @throws `storage` for a file of a later version
 */
export async function openDeviceDatabase(db: Database): Promise<DeviceDatabase> {
  await migrate(db, MIGRATIONS);
  return { memory: new MemoryInDatabase(db), copy: new CopyInDatabase(db) };
}

class MemoryInDatabase implements DeviceMemory {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async load(name: string): Promise<Bytes | null> {
    const query: Statement<{ readonly bytes: Bytes }> = {
      ...{ sql: "SELECT bytes FROM memory WHERE name = ? LIMIT 1", params: [name], single: true },
    };
    return (await this.#db.execute(query)).rows[0]?.bytes ?? null;
  }

  async save(name: string, bytes: Bytes): Promise<void> {
    await this.#db.execute({ sql: "INSERT OR REPLACE INTO memory VALUES (?, ?)", params: [name, bytes] });
  }

  async remove(name: string): Promise<void> {
    await this.#db.execute({ sql: "DELETE FROM memory WHERE name = ?", params: [name] });
  }
}

class CopyInDatabase implements CopyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async state(): Promise<CopyState | null> {
    const query: Statement<CopyState> = {
      ...{ sql: "SELECT statement, head, note FROM copy LIMIT 1", params: [], single: true },
    };
    return (await this.#db.execute(query)).rows[0] ?? null;
  }

  async *rows(): AsyncGenerator<CopiedRow> {
    type Line = { readonly tbl: number; readonly key: Bytes; readonly bytes: Bytes };
    let after: Pick<Line, "tbl" | "key"> = { tbl: 0, key: new Uint8Array(0) };
    while (true) {
      const page: Statement<Line> = {
        sql: "SELECT tbl, key, bytes FROM copied WHERE (tbl, key) > (?, ?) ORDER BY tbl, key LIMIT ?",
        params: [after.tbl, after.key, PAGE_ROWS],
      };
      const { rows } = await this.#db.execute(page);
      for (const { tbl, key, bytes } of rows) yield { table: nameOf(tbl), key, bytes };
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = last;
    }
  }

  async row(table: TableName, key: Bytes): Promise<Bytes | null> {
    const query: Statement<{ readonly bytes: Bytes }> = {
      sql: "SELECT bytes FROM copied WHERE tbl = ? AND key = ? LIMIT 1",
      ...{ params: [TABLES[table], key], single: true },
    };
    return (await this.#db.execute(query)).rows[0]?.bytes ?? null;
  }

  // spec: COPY-05
  async apply({ state: { statement, head, note }, isWhole, put, remove }: CopyChange): Promise<void> {
    await this.#db.batch([
      ...(isWhole ? [{ sql: "DELETE FROM copied", params: [] }] : []),
      ...remove.map(({ table, key }) => ({
        ...{ sql: "DELETE FROM copied WHERE tbl = ? AND key = ?", params: [TABLES[table], key] },
      })),
      ...put.map(({ table, key, bytes }) => ({
        ...{ sql: "INSERT OR REPLACE INTO copied VALUES (?, ?, ?)", params: [TABLES[table], key, bytes] },
      })),
      { sql: "INSERT OR REPLACE INTO copy VALUES (1, ?, ?, ?)", params: [statement, head, note] },
    ]);
  }

  async clear(): Promise<void> {
    await this.#db.batch([{ sql: "DELETE FROM copied", params: [] }, { sql: "DELETE FROM copy", params: [] }]);
  }
}

function nameOf(tbl: number): TableName {
  const name = TABLE_NAMES[tbl - 1];
  if (name === undefined) throw new PosternError("storage", `The local copy has a row of a table ${tbl}`);
  return name;
}

/** Puts the rows of a backup into a new, empty database (spec: BACKUP-05). */
import type { Database, Statement } from "../../shared/database/database.ts";
import { migrate } from "../../shared/database/migrations.ts";
import { PosternError } from "../../shared/errors.ts";
import { MIGRATIONS } from "../store/migrations.ts";
import type { BackupVisitor } from "./read.ts";
import { type BackupBegin, type BackupRow, type BackupTable, damaged } from "./records.ts";
import { backupTables } from "./tables.ts";

/**
 * Loads what a backup is read to. The caller discards the database when the reading fails; when it has not, {@link finishLoading}
 * brings it up to date.
 */
export function loading(db: Database): BackupVisitor {
  return {
    begin: async ({ schema, tables }: BackupBegin) => {
      if (schema > MIGRATIONS.length) {
        throw new PosternError("unsupported", "This backup was made by a newer version of Postern: use that one");
      }
      await migrate(db, MIGRATIONS.slice(0, schema));
      await requireOwnTables(db, tables);
      // The schema brings its counters with it; those of the backup come in their place, after what would raise them.
      await db.execute({ sql: "DELETE FROM counters", params: [] });
    },
    rows: async (table, rows) => {
      await db.batch(rows.map((row) => insertion(table, row)));
    },
  };
}

/** Brings a loaded database to the present schema. */
export async function finishLoading(db: Database): Promise<void> {
  await migrate(db, MIGRATIONS);
}

/** Their names go into SQL: only as far as they are our own do they count. */
async function requireOwnTables(db: Database, tables: readonly BackupTable[]): Promise<void> {
  const own = await backupTables(db);
  const text = (list: readonly BackupTable[]) => JSON.stringify(list.map(({ name, columns }) => [name, columns]));
  if (text(own) !== text(tables)) throw damaged("other tables than a manager has");
}

function insertion({ name, columns }: BackupTable, row: BackupRow): Statement<never> {
  const names = columns.map((column) => `"${column}"`).join(", ");
  const places = columns.map(() => "?").join(", ");
  return { sql: `INSERT INTO "${name}" (${names}) VALUES (${places})`, params: row };
}

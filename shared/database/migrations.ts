/** Brings a database's tables to the version a program needs, once, whoever else tries at the same time. */
import { PosternError } from "../errors.ts";
import type { Database } from "./database.ts";
import { failedConstraint } from "./failures.ts";
import { builder, compile, query } from "./query.ts";

/**
 * One step of a schema. Once released it never changes: a correction is the next step.
 *
 * Tables are STRICT, so that a value of the wrong type is refused. A table is WITHOUT ROWID only if its rows stay below 900 bytes: beyond, they
 * spill into pages that SQLite reads anew each time (measured: a lookup takes twice as long, in an encrypted file seven times).
 */
export interface Migration {
  /** 1, 2, 3 and so on, without gaps. */
  readonly version: number;
  /** What it does, in a few words. */
  readonly name: string;
  /** SQL without parameters, run in order with the record of the step in one transaction. */
  readonly statements: readonly string[];
}

/** From which version to which {@link migrate} went; equal if there was nothing to do. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
}

interface Tables {
  postern_migrations: { version: number; name: string };
  sqlite_schema: { type: string; name: string };
}

const db = builder<Tables>();
const recorded = compile(
  db.selectFrom("sqlite_schema").select("name").where("type", "=", "table").where("name", "=", "postern_migrations"),
);
const applied = compile(db.selectFrom("postern_migrations").select(["version", "name"]).orderBy("version"));
const record = query((p: { version: number; name: string }) =>
  db.insertInto("postern_migrations").values({ version: p.version, name: p.name })
);
const CREATE = `CREATE TABLE IF NOT EXISTS postern_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT`;

/**
 * Applies the steps that a database does not have yet, each atomically. Safe to call from any number of processes at once.
 *
 * Throws `storage` if the database is of a newer schema than the list knows, or of another program's.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<Migrated> {
  for (const [i, { version, name }] of migrations.entries()) {
    if (version !== i + 1) throw new PosternError("usage", `Migration '${name}' has version ${version}, not ${i + 1}.`);
  }
  const known = await database.execute(recorded);
  if (known.rows.length === 0) await database.execute({ sql: CREATE, params: [] });

  let from: number | undefined;
  for (;;) {
    const { rows } = await database.execute(applied);
    const current = agreed(rows, migrations);
    from ??= current;
    const next = migrations[current];
    if (next === undefined) return { from, to: current };
    try {
      await database.batch([
        record.bind({ version: next.version, name: next.name }),
        ...next.statements.map((sql) => ({ sql, params: [] })),
      ]);
    } catch (error) {
      // Another process was quicker with this very step: look again how far it is.
      const constraint = failedConstraint(error);
      if (constraint?.kind !== "unique" || constraint.name !== "postern_migrations.version") throw error;
    }
  }
}

/** How many steps the database has, provided that they are the first ones of the list. */
function agreed(rows: readonly { version: number; name: string }[], migrations: readonly Migration[]): number {
  const newest = rows.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new PosternError(
      "storage",
      `The database has schema version ${newest}, this program knows versions up to ${migrations.length}; ` +
        "update the program, or restore a backup from before the update of the database.",
    );
  }
  for (const [i, { version, name }] of rows.entries()) {
    const expected = migrations[i];
    if (version === i + 1 && name === expected?.name) continue;
    throw new PosternError(
      "storage",
      `The database has schema step ${version} '${name}' where this program has '${expected?.name}'; ` +
        "it belongs to another program, so check the configured path or URL.",
    );
  }
  return rows.length;
}

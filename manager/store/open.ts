/** Opens the manager's database: its key unwrapped by the KEK, its schema brought up to date. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type Redacted, reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { migrate, type Migration } from "../../shared/database/migrations.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { PosternError } from "../../shared/errors.ts";
import { readStoredKey } from "../keys/key_store.ts";
import type { KekRegistry } from "../keys/provider.ts";
import { type FolderPaths, folderPaths, folderState } from "./folder.ts";
import { findBytes, META } from "./meta.ts";
import { MIGRATIONS } from "./migrations.ts";

/** What the wrapped key is for: a key that was wrapped for anything else does not open the database. */
export const DATABASE_KEY_CONTEXT: Bytes = utf8("the manager's database");

export interface OpenManagerOptions {
  readonly folder: string;
  /** Asked for the one provider that the stored key needs, once it is known that there is a manager in the folder. */
  readonly kek: () => Promise<KekRegistry>;
}

/**
 * Opens the database of a data folder that `init` has finished. Other processes may have it open at the same time.
 *
 * @throws `configuration` without a manager in the folder, or without the KEK; `wrong_key`, `tampered` for another one;
 * `storage` when the database is gone, locked, damaged or of a newer schema
 */
export async function openManager(options: OpenManagerOptions): Promise<Database> {
  return (await openManagerAndKey(options)).db;
}

/** The same, with the key of the database, for whoever copies the file. Errors as of {@link openManager} */
export async function openManagerAndKey(
  { folder, kek }: OpenManagerOptions,
): Promise<{ readonly db: Database; readonly key: Redacted<Bytes> }> {
  await requireReady(folder);
  const paths = folderPaths(folder);
  const stored = await readStoredKey(paths.key);
  const provider = await (await kek()).open(stored.kind);
  requireDatabase(paths);
  const key = await provider.unwrap(stored, DATABASE_KEY_CONTEXT);
  const db = await openDatabaseFile(paths, key);
  try {
    if (await findBytes(db, META.owner) !== null) return { db, key };
    throw new PosternError(
      "storage",
      `The database ${paths.database} is empty, and init was finished: it was replaced; restore it from a backup`,
    );
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Opens or makes the database file and brings its schema up to date, or as far as the migrations named go. */
export async function openDatabaseFile(
  paths: FolderPaths,
  key: Redacted<Bytes>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Database> {
  const db = await openDatabase(`file:${paths.database}`, {
    encryptionKey: reveal(key),
    fileIdentity: () => fileIdentity(paths.database),
  });
  try {
    await migrate(db, migrations);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function requireReady(folder: string): Promise<void> {
  const state = await folderState(folder);
  if (state === "ready") return;
  const found = {
    absent: "it does not exist",
    empty: "it is empty",
    unfinished: "an init in it was interrupted",
    foreign: "it holds other files",
  }[state];
  throw new PosternError(
    "configuration",
    `There is no manager in ${folder}: ${found}. Run postern init, or name another folder with --data or POSTERN_DATA`,
  );
}

/** Opening would make a new, empty file in the place of one that is gone. */
function requireDatabase(paths: FolderPaths): void {
  if (fileIdentity(paths.database) !== undefined) return;
  throw new PosternError("storage", `The database ${paths.database} is gone; restore it from a backup`);
}

function fileIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

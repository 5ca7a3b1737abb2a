/** One state of the manager's database, held still while it is read (spec: BACKUP-04). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type Redacted, reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { isPosternError } from "../../shared/errors.ts";
import { removeDurably } from "../files/durable.ts";
import { temporaryIn } from "../files/temporary.ts";

/** A copy of the database, as encrypted as itself, that is gone once it is disposed of. */
export interface Snapshot extends AsyncDisposable {
  readonly db: Database;
}

/**
 * Copies the database into a temporary file of its folder. Whoever turns up behind a crash sweeps that away.
 *
 * @param key of the database
 */
export async function takeSnapshot(db: Database, folder: string, key: Redacted<Bytes>): Promise<Snapshot> {
  const path = temporaryIn(folder);
  try {
    await db.execute({ sql: "VACUUM INTO ?", params: [path] });
    const copy = await openDatabase(`file:${path}`, { encryptionKey: reveal(key) });
    return {
      db: copy,
      async [Symbol.asyncDispose]() {
        await copy.close();
        await forget(path);
      },
    };
  } catch (error) {
    // The first error is the one to report.
    await forget(path).catch(() => {});
    throw error;
  }
}

/** The package leaves the log and its index behind, and they are empty by then. */
async function forget(path: string): Promise<void> {
  for (const name of [`${path}-wal`, `${path}-shm`, `${path}-journal`, path]) {
    try {
      await removeDurably(name);
    } catch (error) {
      if (!isPosternError(error, "not_found")) throw error;
    }
  }
}

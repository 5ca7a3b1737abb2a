/** Backs up the manager of a data folder, whether or not its service runs meanwhile. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { chainEvents } from "../audit/chain.ts";
import { noteEvent } from "../audit/note.ts";
import { sweepTemporaryFiles } from "../files/durable.ts";
import { lockWithin, type TurnEnvironment } from "../service/turn.ts";
import { currentStatement } from "../owner/statement.ts";
import { openManagerAndKey, type OpenManagerOptions } from "../store/open.ts";
import { type BackupOptions, createBackup, type CreatedBackup } from "./create.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";
import { joinWriters } from "./writers.ts";

export interface BackupManagerOptions
  extends OpenManagerOptions, BackupOptions, Pick<TurnEnvironment, "pid" | "network" | "lockWaitMillis"> {}

/**
 * Makes a backup. Turns wait only while the database is being copied.
 *
 * @throws as of `openManager` and {@link createBackup}
 */
export async function backupManager(options: BackupManagerOptions, random: RandomBytes): Promise<CreatedBackup> {
  const { db, key } = await openManagerAndKey(options);
  await using stack = new AsyncDisposableStack();
  let snapshot: Snapshot;
  try {
    const { owner } = await currentStatement(db);
    stack.use(await joinWriters(options.folder, options.file, owner));
    await using _lock = await lockWithin(options);
    await sweepTemporaryFiles(options.folder);
    // Before the copy, so that the backup itself says when it was made and the chain in it is whole.
    await db.execute(noteEvent("backup.created", options.file, {}, options.network.now()));
    await chainEvents(db);
    snapshot = await takeSnapshot(db, options.folder, key);
  } finally {
    await db.close();
  }
  const taken = stack.use(snapshot);
  return await createBackup(taken.db, options, options.network.now(), random);
}

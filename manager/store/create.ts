/** Sets up a data folder: the files, the database and the owner, all of it or nothing that counts. */
import { dirname } from "node:path";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { migrate } from "../../shared/database/migrations.ts";
import { PosternError } from "../../shared/errors.ts";
import { makePrivateFolder, removeDurably, sweepTemporaryFiles } from "../files/durable.ts";
import { lockDataFolder, type LockHolder } from "../files/lock.ts";
import { fromOsError } from "../files/os_error.ts";
import { createStoredKey } from "../keys/key_store.ts";
import type { KekProvider } from "../keys/provider.ts";
import { newInstance } from "../instance/instance.ts";
import { createOwner, type OwnerOptions } from "../owner/create.ts";
import { folderPaths, folderState, type KekPlace, writeSettings } from "./folder.ts";
import { MIGRATIONS } from "./migrations.ts";
import { DATABASE_KEY_CONTEXT, openDatabaseFile } from "./open.ts";

/** A data folder that is to be made. */
export interface NewFolderOptions {
  readonly folder: string;
  /** Opens the KEK; called once the folder is there, so that a key file may be made in it. */
  readonly kek: () => Promise<KekProvider>;
  readonly kekPlace: KekPlace;
  readonly holder: LockHolder;
}

export interface CreateManagerOptions extends NewFolderOptions {
  readonly owner: OwnerOptions;
  /**
   * Hands the recovery key to the owner, who has its only copy. Called before the setup counts as finished: if the owner never got
   * it, the next `init` starts over.
   */
  readonly keepRecoveryKey: (seed: Redacted<Bytes>, owner: Bytes) => Promise<void>;
}

export interface CreatedManager {
  /** The owner id. */
  readonly owner: Bytes;
  /** Whether an interrupted init was found, and started over. */
  readonly hasRestarted: boolean;
}

/**
 * Makes a manager in a folder that is absent, empty, or left by an interrupted init. What such an init made was never used by
 * anybody, since it ended before its owner id was told: it is removed, and made anew.
 *
 * @param now Millis
 * @throws `conflict` for a folder that holds a manager or other files; `storage`
 */
export async function createManager(
  options: CreateManagerOptions,
  now: number,
  random: RandomBytes,
): Promise<CreatedManager> {
  const { made, hasRestarted } = await fillNewFolder(options, random, async (db) => {
    await migrate(db, MIGRATIONS);
    const { owner, recoverySeed } = await createOwner(db, options.owner, now, random);
    await db.batch(await newInstance(now, random));
    await options.keepRecoveryKey(new Redacted(recoverySeed), owner);
    return owner;
  });
  return { owner: made, hasRestarted };
}

/**
 * Makes a data folder with an empty database under a new key, and fills it. It counts once that is done; until then it is as if nothing
 * had begun, and the next attempt starts over.
 *
 * @throws `conflict` for a folder that holds a manager or other files; `storage`; what `fill` throws
 */
export async function fillNewFolder<T>(
  { folder, kek, kekPlace, holder }: NewFolderOptions,
  random: RandomBytes,
  fill: (db: Database) => Promise<T>,
): Promise<{ readonly made: T; readonly hasRestarted: boolean }> {
  await requireFree(folder);
  await makeFolder(folder);
  await using _lock = await lockDataFolder(folder, holder);
  // Only the lock makes this look reliable: two inits may have begun together.
  const state = await requireFree(folder);
  await sweepTemporaryFiles(folder);
  const settings = { isComplete: false, kek: kekPlace };
  await writeSettings(folder, settings);
  const paths = folderPaths(folder);
  for (const path of [paths.database, `${paths.database}-wal`, `${paths.database}-shm`, paths.key]) await forget(path);
  const key = await createStoredKey(paths.key, await kek(), DATABASE_KEY_CONTEXT, random);
  const db = await openDatabaseFile(paths, key, []);
  let made: T;
  try {
    made = await fill(db);
  } finally {
    await db.close();
  }
  await restrict(paths.database);
  await writeSettings(folder, { ...settings, isComplete: true });
  return { made, hasRestarted: state === "unfinished" };
}

async function requireFree(folder: string): Promise<"absent" | "empty" | "unfinished"> {
  const state = await folderState(folder);
  if (state === "absent" || state === "empty" || state === "unfinished") return state;
  const found = state === "ready"
    ? "holds a manager already: see postern status, or name another folder with --data"
    : "is not empty, and what is in it is not Postern's: name another folder with --data";
  throw new PosternError("conflict", `The folder ${folder} ${found}`);
}

/** Folders above it get the usual mode, only the last one is private. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(folder), { recursive: true });
  } catch (error) {
    throw fromOsError(error, `make the folder ${dirname(folder)}`);
  }
  await makePrivateFolder(folder);
}

async function forget(path: string): Promise<void> {
  try {
    await removeDurably(path);
  } catch (error) {
    if (!(error instanceof PosternError) || error.code !== "not_found") throw error;
  }
}

/** libSQL makes its file by the umask; the folder keeps others out until then. */
async function restrict(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  try {
    await Deno.chmod(path, 0o600);
  } catch (error) {
    throw fromOsError(error, `set the mode of ${path}`);
  }
}

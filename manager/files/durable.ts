/**
 * Changes to single files that survive a power cut at any instant: the old content or the new, never half of either.
 *
 * The order is the point: the new content is written and synced under a temporary name in the same folder, renamed over
 * the old, and then the folder is synced. Without the first sync a journaling file system may commit the rename before the
 * content, and a power cut leaves an empty file; without the last, the rename itself may be lost after success was reported.
 */
import { basename, dirname } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "./os_error.ts";
import { removeTemporary, temporaryIn } from "./temporary.ts";

/** Readable and writable by the owner alone. */
export const PRIVATE_FILE_MODE = 0o600;
/** The same for a folder. */
export const PRIVATE_FOLDER_MODE = 0o700;

/**
 * Replaces a file, or makes it. A symbolic link at the path is replaced, not followed.
 *
 * @param mode exactly this one, whatever the process's umask
 * @throws `storage` when the disk is full, read-only or broken, `not_found` for a missing folder; unless the very last step failed, the old
 * content is then intact
 */
export async function writeFileDurably(path: string, content: Uint8Array, mode = PRIVATE_FILE_MODE): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeSynced(temporary, content, mode);
    await removeOnFailure(temporary, () => Deno.rename(temporary, path));
    await syncFolder(dirname(path));
  } catch (error) {
    throw fromOsError(error, `write ${path}`);
  }
}

/**
 * Makes a file that must not exist yet. It appears complete or not at all: a hard link from the finished temporary file fails
 * when the name is taken, where a rename would overwrite and opening exclusively would show a half-written file.
 *
 * @throws `conflict` if anything has that name already, dangling links included; `storage`, `not_found`
 */
export async function createExclusive(path: string, content: Uint8Array, mode = PRIVATE_FILE_MODE): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeSynced(temporary, content, mode);
    await removeOnFailure(temporary, () => Deno.link(temporary, path));
    await Deno.remove(temporary);
    await syncFolder(dirname(path));
  } catch (error) {
    throw fromOsError(error, `create ${path}`);
  }
}

/** Removes a file for good. @throws `not_found` if there is none, `storage` */
export async function removeDurably(path: string): Promise<void> {
  try {
    await Deno.remove(path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw fromOsError(error, `remove ${path}`);
  }
}

/**
 * Makes a folder of mode 0700 whose parent exists. One that is there already is left as it is, for `checkPermissions` to
 * judge: tightening it silently could take it away from whoever else was meant to read it.
 *
 * @throws `conflict` if a file has that name; `storage`, `not_found`
 */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: PRIVATE_FOLDER_MODE });
    await syncFolder(dirname(path));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && await isFolder(path)) return;
    throw fromOsError(error, `make the folder ${path}`);
  }
}

/**
 * Removes what a write that was cut off by a crash left behind. The caller must hold the folder's lock: another process's
 * write under way looks the same.
 *
 * @returns how many files were removed
 */
export async function sweepTemporaryFiles(folder: string): Promise<number> {
  try {
    const removed = await removeTemporary(folder);
    if (removed > 0) await syncFolder(folder);
    return removed;
  } catch (error) {
    throw fromOsError(error, `clear temporary files from ${folder}`);
  }
}

function temporaryBeside(path: string): string {
  if (basename(path) === "") throw new PosternError("usage", `cannot write to ${path}: a file needs a name`);
  return temporaryIn(dirname(path));
}

/** Creates the file under a name nobody else uses, and removes it again if anything fails. */
async function writeSynced(path: string, content: Uint8Array, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: mode & PRIVATE_FILE_MODE });
  await removeOnFailure(path, async () => {
    // Opening cannot give the exact mode, because the umask takes bits away; the file is never wider than asked for.
    if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
    for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
    await file.sync();
  });
}

async function removeOnFailure(path: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    // The first error is the one to report; what cannot be removed now is swept at the next start.
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/** Makes what was renamed, made or removed in a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file; NTFS writes renames through its journal.
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

async function isFolder(path: string): Promise<boolean> {
  return (await Deno.stat(path)).isDirectory;
}

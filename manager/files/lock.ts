/**
 * One process at a time writes to a data folder.
 *
 * The kernel's own lock on an open file (flock) decides, not the presence of a file: it vanishes with its process, however that
 * ends, so a lock cannot become stale and a process number used again by somebody else cannot keep the owner out. What the
 * file says about its holder serves the error message alone.
 */
import { join } from "node:path";
import * as v from "valibot";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { fromOsError } from "./os_error.ts";
import { PRIVATE_FILE_MODE } from "./durable.ts";

/** Who holds the lock, as written into the lock file. */
export interface LockHolder {
  /** Process number. */
  readonly pid: number;
  /** When it took the lock, in milliseconds since 1970. */
  readonly sinceMillis: number;
}

/** A lock that is held until it is released or the process ends. */
export interface DataFolderLock extends AsyncDisposable {
  /** The holder that ended without releasing the lock (crash, kill, power cut), or null after a clean end. */
  readonly crashed: LockHolder | null;
  /** May be called more than once. */
  release(): Promise<void>;
}

const LOCK_FILE = "lock";
/** A holder writes its name within a moment; so long a lock without one is waited for. */
const NAMELESS_TRIES = 25;
const NAMELESS_WAIT_MILLIS = 20;
const MAX_ATTEMPTS = 100;
const holderSchema = v.strictObject({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  sinceMillis: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/**
 * Takes the lock of a data folder, at once or not at all.
 *
 * @param name of the lock's file
 * @throws `storage` when another process has it (the message names its number and what to do), or the file system cannot lock;
 * `not_found` for a missing folder
 */
export async function lockDataFolder(folder: string, self: LockHolder, name = LOCK_FILE): Promise<DataFolderLock> {
  const path = join(folder, name);
  try {
    const file = await openLocked(folder, path);
    try {
      const crashed = await readHolder(file);
      await writeHolder(file, self);
      return heldLock(file, crashed);
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw fromOsError(error, `lock the data folder ${folder}`);
  }
}

/**
 * The same for a folder that is locked for one task at a time, none of which is to be stopped for another.
 *
 * @param busy what is under way when somebody else has the lock
 * @throws `conflict` then; `storage` when the system cannot lock, `not_found`
 */
export async function lockForTask(
  folder: string,
  busy: string,
  self: LockHolder,
  name?: string,
): Promise<DataFolderLock> {
  try {
    return await lockDataFolder(folder, self, name);
  } catch (error) {
    // What the system refuses, such as a lock file on a full disk, has a cause.
    if (!isPosternError(error, "storage") || error.cause !== undefined) throw error;
    throw new PosternError("conflict", `${busy}: wait for its end`);
  }
}

async function openLocked(folder: string, path: string): Promise<Deno.FsFile> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: PRIVATE_FILE_MODE });
    try {
      if (!await tryLockFor(file)) throw inUse(folder, await readHolder(file));
      // Somebody may have removed the file between open and lock: then this is a lock on a file that nobody else will find.
      if (await isStillAt(path, file)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new PosternError(
    "storage",
    `cannot lock ${folder}: something keeps removing ${path}; find out what, and stop it`,
  );
}

/**
 * Tries for a moment, when nobody says that it is theirs: a process that was just started by the one that released the lock holds a
 * copy of its file until it becomes another program, a few milliseconds later (fork(2), flock(2)).
 */
async function tryLockFor(file: Deno.FsFile): Promise<boolean> {
  for (let tries = 0; tries < NAMELESS_TRIES; tries++) {
    if (await file.tryLock(true)) return true;
    if (await readHolder(file) !== null) return false;
    await new Promise((resume) => setTimeout(resume, NAMELESS_WAIT_MILLIS));
  }
  return false;
}

async function isStillAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [there, here] = [await Deno.stat(path), await file.stat()];
    return there.dev === here.dev && there.ino === here.ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function inUse(folder: string, holder: LockHolder | null): PosternError {
  const who = holder === null
    ? "another process (it has not written its number yet; fuser or lsof can tell)"
    : `process ${holder.pid}, since ${new Date(holder.sinceMillis).toISOString()}`;
  const stop = holder === null ? "stop it" : `stop it (systemctl stop postern, or kill ${holder.pid})`;
  return new PosternError(
    "storage",
    `the data folder ${folder} is in use by ${who}; ${stop}, or choose another folder with --data. Removing the lock file does not help`,
  );
}

/** Anything but a well-made holder counts as none: the file informs, it does not decide. */
async function readHolder(file: Deno.FsFile): Promise<LockHolder | null> {
  const buffer = new Uint8Array(LIMITS.maxLockFileBytes);
  await file.seek(0, Deno.SeekMode.Start);
  const length = await file.read(buffer) ?? 0;
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(buffer.subarray(0, length)));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const result = v.safeParse(holderSchema, parsed);
  // The largest time that a Date can hold; beyond it toISOString throws.
  return result.success && result.output.sinceMillis <= 8.64e15 ? result.output : null;
}

async function writeHolder(file: Deno.FsFile, holder: LockHolder | null): Promise<void> {
  const text = holder === null ? "" : `${JSON.stringify({ pid: holder.pid, sinceMillis: holder.sinceMillis })}\n`;
  const bytes = utf8(text);
  await file.truncate(0);
  await file.seek(0, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** The file itself stays: removing it would let two processes lock two different files of one name. */
function heldLock(file: Deno.FsFile, crashed: LockHolder | null): DataFolderLock {
  let held = true;
  const release = async (): Promise<void> => {
    if (!held) return;
    held = false;
    try {
      await writeHolder(file, null);
    } finally {
      file.close();
    }
  };
  return { crashed, release, [Symbol.asyncDispose]: release };
}

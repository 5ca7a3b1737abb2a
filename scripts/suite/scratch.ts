/** A folder for what tests write, in memory where the machine has room: what they `fsync` then waits for no disk. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** Much more than the fast tests ever hold at one time. */
const ROOM_BYTES = 2 * 1024 ** 3;
const PREFIX = "postern-tests-";
/** Locked as long as the run lasts: the system lets go of it with the process, however that ends. */
const LOCK = "alive";
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs with such a folder, and removes it whatever happens, also at Ctrl-C. A `TMPDIR` that was set is kept to. */
export async function withScratchFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const inMemory = Deno.env.get("TMPDIR") === undefined && await isRoomy(MEMORY);
  if (inMemory) await sweepScratchFolders(MEMORY);
  const folder = await Deno.makeTempDir({ prefix: PREFIX, ...(inMemory ? { dir: MEMORY } : {}) });
  using _lock = await lockFolder(folder);
  const remove = () => Deno.removeSync(folder, { recursive: true });
  const stop = () => {
    remove();
    Deno.exit(130);
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  try {
    return await run(folder);
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop);
    remove();
  }
}

/** Under its name it is never seen unlocked. */
async function lockFolder(folder: string): Promise<Deno.FsFile> {
  const file = await Deno.open(join(folder, `${LOCK}.new`), { write: true, createNew: true });
  await file.lock(true);
  await Deno.rename(join(folder, `${LOCK}.new`), join(folder, LOCK));
  return file;
}

/** Removes what runs left that were killed; memory is scarce. Returns the folders. */
export async function sweepScratchFolders(parent: string): Promise<string[]> {
  const swept: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    const folder = join(parent, name);
    if (!isDirectory || !name.startsWith(PREFIX) || !await isAbandoned(folder)) continue;
    // Another run may sweep at the same time.
    await Deno.remove(folder, { recursive: true }).then(() => swept.push(folder), () => {});
  }
  return swept;
}

/** Whether a run had this folder and is gone. A folder without a lock is one that is just being made, or not ours to judge. */
async function isAbandoned(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(join(folder, LOCK), { write: true });
    return await file.tryLock(true);
  } catch {
    return false;
  }
}

/** Whether there is such a place with room, where this user may write and run programs. */
async function isRoomy(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < ROOM_BYTES) return false;
    const probe = await Deno.makeTempFile({ dir: folder, prefix: "postern-probe-" });
    try {
      await Deno.writeTextFile(probe, "#!/bin/sh\n");
      await Deno.chmod(probe, 0o700);
      return (await new Deno.Command(probe).output()).success;
    } finally {
      await Deno.remove(probe);
    }
  } catch {
    // Not there, or not for us: the usual place serves.
    return false;
  }
}

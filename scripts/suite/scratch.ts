/** A folder for what tests write, in memory where the machine has room: what they `fsync` then waits for no disk. */
import { statfs } from "node:fs/promises";

const MEMORY = "/dev/shm";
/** Much more than the fast tests ever hold at one time. */
const ROOM_BYTES = 2 * 1024 ** 3;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs with such a folder, and removes it whatever happens, also at Ctrl-C. A `TMPDIR` that was set is kept to. */
export async function withScratchFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const inMemory = Deno.env.get("TMPDIR") === undefined && await isRoomy(MEMORY);
  const folder = await Deno.makeTempDir({ prefix: "postern-tests-", ...(inMemory ? { dir: MEMORY } : {}) });
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

/** Releases in a folder of this machine: a mounted share, or what was carried here. */
import { join } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../files/os_error.ts";
import type { ReleaseSource } from "./source.ts";

export function folderSource(folder: string): ReleaseSource {
  return {
    async open(place, from) {
      const path = join(folder, ...place.split("/"));
      try {
        // Before the open as well, which waits for a writer if this is a named pipe.
        if (!(await Deno.stat(path)).isFile) throw new PosternError("storage", `${path} is not a regular file`);
        const file = await Deno.open(path, { read: true });
        await file.seek(from, Deno.SeekMode.Start);
        return { body: file.readable, from };
      } catch (error) {
        if (error instanceof Deno.errors.NotFound && await isThere(folder)) return null;
        throw fromOsError(error, `read ${path}`);
      }
    },
  };
}

/** A folder that is not mounted is no folder without releases. */
async function isThere(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).isDirectory;
  } catch {
    return false;
  }
}

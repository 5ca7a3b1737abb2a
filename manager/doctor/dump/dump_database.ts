/** Copies the database file of an edge on this machine, as of one moment. */
import { dirname, resolve } from "node:path";
import { openDatabase } from "../../../shared/database/open.ts";
import { PosternError } from "../../../shared/errors.ts";
import { createExclusive, syncFolder } from "../../files/durable.ts";
import { fromOsError } from "../../files/os_error.ts";

/**
 * Writes a database into a new file, which only its user may read. The edge may write meanwhile.
 *
 * @param url of the edge's database; a relative path is of the folder `cwd`
 * @param output does not exist yet
 * @returns how many bytes the file has
 * @throws `unsupported` for a database that is no file here; `not_found`, `conflict`, `storage`
 */
export async function dumpDatabase(url: string, cwd: string, output: string): Promise<number> {
  if (!url.startsWith("file:")) {
    throw new PosternError("unsupported", "Only a database file can be dumped here: one on a server is not in a file");
  }
  const path = resolve(cwd, url.slice("file:".length).replace(/^\/\/(?=\/)/, ""));
  try {
    // Opening would make the file.
    await Deno.stat(path);
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
  await createExclusive(output, new Uint8Array(0));
  try {
    const database = await openDatabase(`file:${path}`);
    try {
      await database.execute({ sql: "VACUUM INTO ?", params: [output] });
    } finally {
      await database.close();
    }
    return await syncFile(output);
  } catch (error) {
    await Deno.remove(output);
    throw error;
  }
}

async function syncFile(path: string): Promise<number> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    await file.sync();
    const { size } = await file.stat();
    await syncFolder(dirname(path));
    return size;
  } catch (error) {
    throw fromOsError(error, `write ${path}`);
  }
}

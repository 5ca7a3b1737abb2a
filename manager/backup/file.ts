/** The file of a backup: read in pieces of exact size, and written so that its name only ever means a whole one (spec: BACKUP-07). */
import { basename, dirname } from "node:path";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { PRIVATE_FILE_MODE, syncFolder } from "../files/durable.ts";
import { fromOsError } from "../files/os_error.ts";
import type { ReadBytes } from "./chunks.ts";

/** A backup opened for reading. */
export interface BackupFile extends Disposable {
  readonly size: number;
  /** How many bytes were read. */
  readonly at: number;
  readonly read: ReadBytes;
}

/** @throws `not_found`, `storage`; `unsupported` for a folder, pipe or device */
export async function openBackupFile(path: string): Promise<BackupFile> {
  try {
    requireRegular(path, await Deno.stat(path));
    const file = await Deno.open(path, { read: true });
    try {
      const info = await file.stat();
      requireRegular(path, info);
      return reader(path, file, info.size);
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
}

function requireRegular(path: string, { isFile }: Deno.FileInfo): void {
  if (!isFile) throw new PosternError("unsupported", `cannot read ${path}: a regular file is needed`);
}

function reader(path: string, file: Deno.FsFile, size: number): BackupFile {
  let at = 0;
  const read = async (most: number) => {
    const buffer = new Uint8Array(most);
    let length = 0;
    try {
      while (length < most) {
        const count = await file.read(buffer.subarray(length));
        if (count === null) break;
        length += count;
      }
    } catch (error) {
      throw fromOsError(error, `read ${path}`);
    }
    at += length;
    return length === most ? buffer : buffer.slice(0, length);
  };
  return {
    size,
    get at() {
      return at;
    },
    read,
    [Symbol.dispose]: () => file.close(),
  };
}

/**
 * Writes a file under another name, lets `check` look at it, and only then gives it its own. Whatever fails before, nothing has that name.
 *
 * @param temporary the other name, in the same folder
 * @param write hands its bytes to the function that it is given
 * @throws `conflict` when the name is taken and `overwrite` is not asked for; `storage`, `not_found`
 */
export async function writeChecked(
  path: string,
  temporary: string,
  overwrite: boolean,
  write: (put: (bytes: Bytes) => Promise<void>) => Promise<void>,
  check: (temporary: string) => Promise<void>,
): Promise<void> {
  if (basename(path) === "") throw new PosternError("usage", `cannot write to ${path}: a file needs a name`);
  try {
    if (!overwrite) await requireAbsent(path);
    await writeSynced(temporary, write);
    try {
      await check(temporary);
      await (overwrite ? Deno.rename(temporary, path) : moveToFree(temporary, path));
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    await syncFolder(dirname(path));
  } catch (error) {
    throw fromOsError(error, `write ${path}`);
  }
}

async function writeSynced(
  temporary: string,
  write: (put: (bytes: Bytes) => Promise<void>) => Promise<void>,
): Promise<void> {
  // The umask only takes bits away, so nobody else can read it at any time.
  using file = await Deno.open(temporary, { write: true, createNew: true, mode: PRIVATE_FILE_MODE });
  try {
    await write(async (bytes) => {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    });
    await file.sync();
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function requireAbsent(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new PosternError("conflict", `${path} is there already: name another file, or replace it with --force`);
}

/** A link fails where a rename would overwrite; the file systems of USB sticks know no links. */
async function moveToFree(temporary: string, path: string): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await requireAbsent(path);
    await Deno.rename(temporary, path);
    return;
  }
  await Deno.remove(temporary);
}

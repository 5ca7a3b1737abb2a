/** Publishing to a directory: the root of a web server, a disk that is carried to where there is no network. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { syncFolder } from "../../../manager/files/durable.ts";
import { fromOsError } from "../../../manager/files/os_error.ts";
import { readBounded } from "../../../manager/files/read_bounded.ts";
import type { PublishFolder, PublishPlace, Sent, Upload } from "./place.ts";

/** Everybody may read, whatever the umask is. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const PART_SUFFIX = ".part";
const NEXT_SUFFIX = ".next";
/** No tag begins like that. */
const LOCK_NAME = ".lock";

/** @param root a folder; it is made if its parent exists */
export function directoryPlace(root: string): PublishPlace {
  return {
    name: root,
    maxFileBytes: LIMITS.maxReleaseBytes,
    lockedBy: { folder: root, name: LOCK_NAME },
    async folder(tagName) {
      await makeFolder(root);
      const path = tagName === null ? root : join(root, tagName);
      await makeFolder(path);
      return new Directory(path);
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: FOLDER_MODE });
    if (Deno.build.os !== "windows") await Deno.chmod(path, FOLDER_MODE);
    await syncFolder(join(path, ".."));
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw fromOsError(error, `make the folder ${path}`);
  }
}

class Directory implements PublishFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(upload: Upload): Promise<Sent> {
    const path = join(this.#folder, upload.name);
    if (await isThere(path, upload)) return "there";
    try {
      await write(`${path}${PART_SUFFIX}`, upload);
      await Deno.rename(`${path}${PART_SUFFIX}`, path);
      await syncFolder(this.#folder);
    } catch (error) {
      // It is begun anew in any case, and takes room that may be short.
      await Deno.remove(`${path}${PART_SUFFIX}`).catch(() => {});
      throw fromOsError(error, `write ${path}`);
    }
    return "sent";
  }

  async read(name: string, maxBytes: number): Promise<Bytes | null> {
    try {
      return await readBounded(join(this.#folder, name), maxBytes);
    } catch (error) {
      if (isPosternError(error, "not_found")) return null;
      throw error;
    }
  }

  async versions(name: string, maxBytes: number): Promise<Bytes[]> {
    const files = [await this.read(name, maxBytes), await this.read(`${name}${NEXT_SUFFIX}`, maxBytes)];
    return files.filter((file) => file !== null);
  }

  async replace(files: readonly Upload[]): Promise<void> {
    for (const file of files) await this.put({ ...file, name: `${file.name}${NEXT_SUFFIX}` });
    for (const { name } of files) {
      const path = join(this.#folder, name);
      try {
        await Deno.rename(`${path}${NEXT_SUFFIX}`, path);
        await syncFolder(this.#folder);
      } catch (error) {
        throw fromOsError(error, `rename ${path}${NEXT_SUFFIX}`);
      }
    }
  }

  /** The lock keeps others away. */
  requireKept(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a killed run left under the name is overwritten: the lock lets one publisher write at a time. */
async function write(path: string, upload: Upload): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: FILE_MODE });
  if (Deno.build.os !== "windows") await Deno.chmod(path, FILE_MODE);
  let size = 0;
  for await (const chunk of upload.open()) {
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    size += chunk.length;
  }
  if (size !== upload.size) throw new PosternError("conflict", `${upload.name} changed while it was copied`);
  await file.sync();
}

async function isThere(path: string, { size, sha256 }: Upload): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    if (!info.isFile || info.size !== size) return false;
    const hash = createHash("sha256");
    using file = await Deno.open(path, { read: true });
    for await (const chunk of file.readable as ReadableStream<Bytes>) hash.update(chunk);
    return hash.digest("hex") === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fromOsError(error, `read ${path}`);
  }
}

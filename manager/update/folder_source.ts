/** Releases in a folder of this machine: a mounted share, or what was carried here. */
import { constants } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../files/os_error.ts";
import type { ReleaseSource } from "./source.ts";

const PART_BYTES = 65_536;

export function folderSource(folder: string): ReleaseSource {
  return {
    async open(place, from) {
      const path = join(folder, ...place.split("/"));
      try {
        return { body: partsOf(await openRegular(path), from, path), from };
      } catch (error) {
        const failure = fromOsError(error, `read ${path}`);
        if (failure.code === "not_found" && await isThere(folder)) return null;
        throw failure;
      }
    },
  };
}

/** Opens at once, also a pipe that nobody writes to, and judges what was opened. @throws `storage` for no regular file */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new PosternError("storage", `${path} is not a regular file`);
}

function partsOf(file: FileHandle, from: number, path: string): ReadableStream<Uint8Array> {
  let position = from;
  return new ReadableStream({
    async pull(controller) {
      try {
        const part = new Uint8Array(PART_BYTES);
        const { bytesRead } = await file.read(part, 0, part.length, position);
        position += bytesRead;
        if (bytesRead > 0) return controller.enqueue(part.subarray(0, bytesRead));
      } catch (error) {
        await file.close();
        throw fromOsError(error, `read ${path}`);
      }
      await file.close();
      controller.close();
    },
    cancel: () => file.close(),
  });
}

/** A folder that is not mounted is no folder without releases. */
async function isThere(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).isDirectory;
  } catch {
    return false;
  }
}

import type { Bytes } from "../../shared/bytes/bytes.ts";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "./os_error.ts";

/**
 * Reads a whole file into memory, after its size was found to be within the limit; a file that grows meanwhile is refused too.
 *
 * @param inspect sees the state of the very file that is read, not of whatever has its name a moment earlier; what it throws
 * goes to the caller, and nothing is read
 * @throws `too_large`; `unsupported` for anything but a regular file (reading a pipe could wait forever); `not_found`, `storage`
 */
export async function readBounded(
  path: string,
  maxBytes: number,
  inspect?: (info: Deno.FileInfo) => void,
): Promise<Bytes> {
  try {
    // Before the open as well, which waits for a writer if this is a named pipe.
    requireRegular(path, await Deno.stat(path));
    using file = await Deno.open(path, { read: true });
    const info = await file.stat();
    requireRegular(path, info);
    inspect?.(info);
    if (info.size > maxBytes) throw tooLarge(path, maxBytes, info.size);
    return await readAll(path, file, info.size, maxBytes);
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
}

/** The size is only where to begin: files under /proc and /sys claim to be empty, and any file may change while it is read. */
async function readAll(path: string, file: Deno.FsFile, expected: number, maxBytes: number): Promise<Bytes> {
  let buffer = new Uint8Array(expected);
  let length = 0;
  while (true) {
    if (length === buffer.length) {
      const probe = new Uint8Array(1);
      if (await file.read(probe) === null) return buffer;
      if (length === maxBytes) throw tooLarge(path, maxBytes, length + 1);
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(4096, length * 2)));
      larger.set(buffer);
      larger.set(probe, length);
      buffer = larger;
      length++;
      continue;
    }
    const count = await file.read(buffer.subarray(length));
    if (count === null) return buffer.slice(0, length);
    length += count;
  }
}

function requireRegular(path: string, info: Deno.FileInfo): void {
  if (info.isFile) return;
  const found = info.isDirectory ? "a folder" : "a pipe, socket or device";
  throw new PosternError("unsupported", `cannot read ${path}: it is ${found}, and a regular file is needed`);
}

function tooLarge(path: string, maxBytes: number, found: number): PosternError {
  return new PosternError(
    "too_large",
    `cannot read ${path}: at most ${maxBytes} bytes are allowed here, it has ${found} or more`,
  );
}

/**
 * SHA-256 of a file as it lies on the disk. Synchronous reads of 64 KiB into one hash are as fast as `openssl dgst`; streams take
 * three times as long, and WebCrypto the whole file in memory.
 */
import { createHash } from "node:crypto";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../../manager/files/os_error.ts";

const CHUNK_BYTES = 65_536;

/** What was read. */
export interface HashedFile {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** How the file was found, before it was opened. */
export type Found = Pick<Deno.FileInfo, "dev" | "ino" | "size" | "mtime">;

/**
 * Hashes a file that `found` describes.
 *
 * @param onRead is told how many bytes came
 * @throws `conflict` if another file lies there now, or it changes while it is read; `not_found`, `storage`
 */
export function hashFile(path: string, found: Found, onRead: (bytes: number) => void): HashedFile {
  try {
    using file = Deno.openSync(path, { read: true });
    requireSame(path, found, file.statSync());
    const hash = createHash("sha256");
    const buffer = new Uint8Array(CHUNK_BYTES);
    let size = 0;
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      hash.update(buffer.subarray(0, count));
      size += count;
      onRead(count);
    }
    requireSame(path, found, file.statSync());
    if (size !== found.size) throw changed(path);
    return { size, sha256: hash.digest("hex") };
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
}

function requireSame(path: string, found: Found, now: Found): void {
  const isSame = now.dev === found.dev && now.ino === found.ino && now.size === found.size &&
    now.mtime?.getTime() === found.mtime?.getTime();
  if (!isSame) throw changed(path);
}

function changed(path: string): PosternError {
  return new PosternError("conflict", `${path} changes while it is read; build first, then describe`);
}

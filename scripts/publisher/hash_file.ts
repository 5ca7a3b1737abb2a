/** SHA-256 of a file of a release, which must not change while it is read. */
import { createHash } from "node:crypto";
import { PosternError } from "../../shared/errors.ts";
import { hashInto } from "../../manager/files/hash_into.ts";
import { fromOsError } from "../../manager/files/os_error.ts";

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
export async function hashFile(path: string, found: Found, onRead: (bytes: number) => void): Promise<HashedFile> {
  try {
    using file = Deno.openSync(path, { read: true });
    requireSame(path, found, file.statSync());
    const hash = createHash("sha256");
    const size = await hashInto(hash, file, found.size + 1, (part) => onRead(part.length));
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

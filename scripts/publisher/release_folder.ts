/** The files of a release, as they lie in a folder. */
import { join } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { FileMode, ReleaseFile } from "../../shared/manifest/manifest.ts";
import { requirePath } from "../../shared/manifest/paths.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { hashFile } from "./hash_file.ts";

/** Whoever owns the file may execute it. */
const EXECUTABLE = 0o100;

/** A file that was found and not yet read. */
export interface FoundFile {
  readonly path: string;
  readonly mode: FileMode;
  readonly info: Deno.FileInfo;
}

/**
 * All files below a folder. Empty folders are no part of a release.
 *
 * @throws `unsupported` for a link, a pipe, a socket or a device; `malformed`, `too_large` for a path that no release may have, or too
 * many files; `not_found`, `storage`
 */
export function findFiles(folder: string): FoundFile[] {
  const found: FoundFile[] = [];
  // The folder itself may be a link: whoever calls named it.
  try {
    if (!Deno.statSync(folder).isDirectory) throw new PosternError("unsupported", `${folder} is no folder`);
    walk(folder, "", found);
  } catch (error) {
    throw fromOsError(error, `read ${folder}`);
  }
  if (found.length === 0) throw new PosternError("not_found", `there are no files in ${folder}`);
  return found;
}

function walk(folder: string, prefix: string, found: FoundFile[]): void {
  for (const { name } of Deno.readDirSync(join(folder, prefix))) {
    const path = `${prefix}${name}`;
    const info = Deno.lstatSync(join(folder, path));
    if (info.isSymlink) throw new PosternError("unsupported", `${path} is a link; a release has files only`);
    if (!info.isDirectory && !info.isFile) {
      throw new PosternError("unsupported", `${path} is a pipe, socket or device; a release has files only`);
    }
    requireAllowed(path);
    if (info.isDirectory) walk(folder, `${path}/`, found);
    else found.push({ path, info, mode: (info.mode ?? 0) & EXECUTABLE ? "0755" : "0644" });
    if (found.length > LIMITS.maxReleaseFiles) {
      throw new PosternError("too_large", `the release has more than ${LIMITS.maxReleaseFiles} files`);
    }
  }
}

/** Here, unlike where a stranger's manifest is read, the path may be named. */
function requireAllowed(path: string): void {
  try {
    requirePath(path);
  } catch (cause) {
    if (!(cause instanceof PosternError)) throw cause;
    throw new PosternError(cause.code, `${JSON.stringify(path)} cannot be in a release: ${cause.message}`, { cause });
  }
}

/**
 * Reads all files and hashes them.
 *
 * @param onRead is told of each piece: bytes done, and of how many
 * @throws `conflict` if a file changes meanwhile; `not_found`, `storage`
 */
export async function hashFiles(
  folder: string,
  found: readonly FoundFile[],
  onRead: (done: number, total: number) => void,
): Promise<ReleaseFile[]> {
  const total = found.reduce((sum, { info }) => sum + info.size, 0);
  let done = 0;
  const files: ReleaseFile[] = [];
  // One after the other: each read is synchronous.
  for (const { path, mode, info } of found) {
    const { size, sha256 } = await hashFile(join(folder, path), info, (bytes) => onRead(done += bytes, total));
    files.push({ path, size, mode, sha256 });
  }
  return files;
}

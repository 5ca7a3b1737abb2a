/** Files that are believed for their hash alone. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { PosternError } from "../../shared/errors.ts";
import { hashInto } from "../files/hash_into.ts";
import { fromOsError } from "../files/os_error.ts";

/** What a manifest says of a file's content. */
export interface Content {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Reads a file whole and hashes it. A symbolic link is not followed, and a file that grows is not read to its end.
 *
 * @param take is given each part; it belongs to the caller until it returns
 * @throws `tampered` unless size and hash are right; `not_found`, `storage`
 */
export async function readContent(
  path: string,
  { size, sha256 }: Content,
  take: (part: Uint8Array) => void = () => {},
): Promise<void> {
  try {
    using file = await openRegular(path);
    const hash = createHash("sha256");
    const read = await hashInto(hash, file, size + 1, take);
    if (read === size && hash.digest("hex") === sha256) return;
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
  throw new PosternError("tampered", `${path} is not what the manifest says`);
}

/** Whether a file is there and right. @throws `storage` */
export async function hasContent(path: string, content: Content): Promise<boolean> {
  try {
    await readContent(path, content);
    return true;
  } catch (error) {
    if (error instanceof PosternError && (error.code === "not_found" || error.code === "tampered")) return false;
    throw error;
  }
}

/**
 * Copies a file to a name that is free, hashed on the way.
 *
 * @param mode exactly this one
 * @throws `tampered`, `not_found`, `conflict`, `storage`; what was copied so far is left there
 */
export async function copyContent(from: string, to: string, content: Content, mode: number): Promise<void> {
  try {
    using copy = await Deno.open(to, { write: true, createNew: true, mode: 0o600 });
    await readContent(from, content, (part) => {
      for (let at = 0; at < part.length;) at += copy.writeSync(part.subarray(at));
    });
    await Deno.chmod(to, mode);
    await copy.sync();
  } catch (error) {
    throw fromOsError(error, `write ${to}`);
  }
}

/** A file that was opened for reading. */
interface Opened extends Disposable {
  readSync(part: Uint8Array): number | null;
}

/**
 * Others may write to a shared folder: what lies there may be a link, or a pipe that waits for ever, and what was looked at may be
 * another when it is opened. So the opening itself waits for nobody, and what was opened is compared with what was looked at.
 */
async function openRegular(path: string): Promise<Opened> {
  const found = await Deno.lstat(path);
  if (!found.isFile) throw new PosternError("tampered", `${path} is not a regular file`);
  const fd = openAtOnce(path);
  if (fd !== null) {
    const { dev, ino } = fstatSync(fd);
    if (dev === found.dev && ino === found.ino) {
      return { readSync: (part) => readSync(fd, part) || null, [Symbol.dispose]: () => closeSync(fd) };
    }
    closeSync(fd);
  }
  throw new PosternError("tampered", `${path} was replaced while it was opened`);
}

/** Opens what is there. @returns null for a symbolic link, unless the runtime resolves it before */
function openAtOnce(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ELOOP") return null;
    throw error;
  }
}

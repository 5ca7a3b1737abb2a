import { constants } from "node:os";
import { PosternError } from "../../shared/errors.ts";

/** What a person can do about an error of the operating system; codes as in errno(3). */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "check the owner and mode of the file and of the folders above it",
  EPERM: "check the owner and mode of the file, and that the file system allows this",
  ENOSPC: "free some space on this disk",
  EDQUOT: "free some space, or raise this user's disk quota",
  EFBIG: "raise this process's limit for file sizes (ulimit -f)",
  EROFS: "the file system is mounted read-only: look for disk errors in the system's log, then mount it writable",
  EIO: "the disk reported an error: look into the system's log and keep a backup at hand",
  EMFILE: "raise this process's limit for open files (ulimit -n)",
  ENFILE: "the system has too many open files",
  ENOTDIR: "a part of the path is a file where a folder should be",
  EISDIR: "a folder is where a file should be",
  ENAMETOOLONG: "choose a shorter path",
  ELOOP: "the path goes round in a circle of symbolic links",
  EBUSY: "the file is in use by the system",
  ENOLCK: "this file system cannot lock files: choose a folder on a local disk",
  ENOTSUP: "this file system cannot do that: choose a folder on a local disk",
  EOPNOTSUPP: "this file system cannot do that: choose a folder on a local disk",
  EXDEV: "this file system cannot do that: choose a folder on a local disk",
  EMLINK: "this file system cannot do that: choose a folder on a local disk",
  ENXIO: "there is no device behind this file",
  ESTALE: "the network file system lost this file: mount it again",
};

/** How the runtime ends the message of any error that came from a system call. */
const FROM_SYSTEM_CALL = /^(.*?) ?\(os error (\d+)\)/;
const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [String(number), name]));

/**
 * The error's name as in errno(3), or nothing. Deno gives only the most common errors their name; the others (EFBIG, EDQUOT, EXDEV, ...)
 * have words, and this system's number.
 */
export function osErrorName(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return NAMES.get(FROM_SYSTEM_CALL.exec(error.message)?.[2] ?? "") ?? "";
}

/**
 * Turns an error of the operating system into the typed one: `not_found`, `conflict` for a file that exists already,
 * `configuration` for what the runtime was not permitted, and `storage` with a remedy for the others.
 *
 * @param doing what was tried, to stand after "cannot", for example `write /var/lib/postern/database.key`
 * @throws anything that is not an error of the operating system, unchanged: that is a bug and must not look like a full disk
 */
export function fromOsError(error: unknown, doing: string): PosternError {
  if (error instanceof PosternError) return error;
  if (!(error instanceof Error)) throw error;
  if (error instanceof Deno.errors.NotCapable) {
    const advice = "start the program with this permission (the unit of install_service.ts does)";
    return new PosternError("configuration", `cannot ${doing}: ${error.message}; ${advice}`, { cause: error });
  }
  const code = osErrorName(error);
  if (code === "ENOENT") return new PosternError("not_found", `cannot ${doing}: it does not exist`, { cause: error });
  if (code === "EEXIST") return new PosternError("conflict", `cannot ${doing}: it exists already`, { cause: error });
  const words = FROM_SYSTEM_CALL.exec(error.message)?.[1];
  if (words === undefined && !(code in REMEDIES)) throw error;
  const remedy = REMEDIES[code] ?? "look into the system's log, and whether the disk is sound";
  return new PosternError("storage", `cannot ${doing} (${words ?? code}): ${remedy}`, { cause: error });
}

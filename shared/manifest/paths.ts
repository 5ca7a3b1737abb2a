/**
 * Which paths a release may write: those that mean one file, inside of its folder, on every file system. A manifest is checked
 * whole before anything is written (spec: MAN-05, MAN-06).
 */
import { utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Of letters that mean one thing everywhere: no full stop at the end, and before the first none of the names of devices. */
const PLAIN_SEGMENT = "(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|$))[a-z0-9_.+@-]+(?<!\\.)";
/** Up to 32 of them. Such paths, if they are short, are good, and most are. */
const PLAIN = new RegExp(`^${PLAIN_SEGMENT}(?:/${PLAIN_SEGMENT}){0,31}$`, "i");
const ILL_CHARACTER = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\\:*?"<>|]/u;
const SHORT_NAME = /~[0-9]/;
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9])$/;

/** `fold(p)`: paths that some file system takes for the same one have the same text. */
export function foldPath(path: string): string {
  if (PLAIN.test(path)) return path.toLowerCase();
  return path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}

/** Passes a path of a release. @throws `malformed`; `too_large` beyond the limits of length and depth */
export function requirePath(path: string): void {
  if (isPlain(path)) return;
  const bytes = utf8(path).length;
  const segments = path.split("/");
  if (bytes > LIMITS.maxReleasePathBytes || segments.length > LIMITS.maxReleasePathSegments) {
    throw new PosternError("too_large", "a path of the manifest is longer or deeper than its limit");
  }
  if (!path.isWellFormed() || path.normalize("NFC") !== path) throw refused("that is in Unicode's NFC");
  requireSegments(segments);
  requireSegments(path.normalize("NFKC").split("/"));
}

/**
 * Passes the paths of one manifest: each as {@link requirePath} does, and all of them.
 *
 * @throws as {@link requirePath}; `malformed` if any two of them, or a file and a folder, or two spellings of a folder, can be the same
 * on some file system
 */
export function requirePaths(paths: readonly string[]): void {
  const files = paths.map(passedAndFolded);
  // What lies in no folder lies in this one, where the way up ends.
  const folders = new Set([""]);
  let last = "";
  for (const path of paths) {
    let folder = folderOf(path);
    // Most files of a sorted list lie in the folder of the one before.
    if (folder === last) continue;
    last = folder;
    for (; !folders.has(folder); folder = folderOf(folder)) folders.add(folder);
  }
  // Sorting what is nearly sorted takes less time than a set.
  const names = [...files, ...Array.from(folders, foldPath)].sort();
  if (names.some((name, at) => name === names[at - 1])) {
    throw refused("that no other file or folder equals, whatever the file system");
  }
}

/** What {@link foldPath} makes of a path, once it has passed; most paths are looked at once for both. */
function passedAndFolded(path: string): string {
  if (isPlain(path)) return path.toLowerCase();
  requirePath(path);
  return foldPath(path);
}

function isPlain(path: string): boolean {
  return path.length <= LIMITS.maxReleaseSegmentBytes && PLAIN.test(path);
}

/** Empty for what lies in none. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function requireSegments(segments: readonly string[]): void {
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === "..") throw refused("that is relative, without . and ..");
    if (segment.startsWith(" ") || segment.endsWith(" ") || segment.endsWith(".")) {
      throw refused("whose names have no space at an end, and no full stop");
    }
    if (ILL_CHARACTER.test(segment)) throw refused("without control characters, backslash, colon and wildcards");
    if (SHORT_NAME.test(segment)) throw refused("without a tilde before a digit");
    if (RESERVED.test(foldPath((segment.split(".", 1)[0] ?? "").trimEnd()))) {
      throw refused("without names that are devices on Windows");
    }
    if (segment.length > LIMITS.maxReleaseSegmentBytes || utf8(segment).length > LIMITS.maxReleaseSegmentBytes) {
      throw new PosternError("too_large", `a name in a path has more than ${LIMITS.maxReleaseSegmentBytes} bytes`);
    }
  }
}

/** The path itself stays out of the message: it is secret, and nobody has checked what it holds. */
function refused(expected: string): PosternError {
  return new PosternError("malformed", `every path of a manifest must be one ${expected}`);
}

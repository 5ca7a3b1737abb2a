/**
 * Any mailbox as a stream of raw messages: a message file, an mbox file, a Maildir with its sub-folders, or a folder of any of
 * these. The bytes of a message are never changed, decoded or normalised.
 */
import { basename, join } from "node:path";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { fromOsError } from "../files/os_error.ts";
import { channelHint, maildirLevels } from "./channel_hint.ts";
import { type MailItem, mailProblem } from "./item.ts";
import { listFolder } from "./list_folder.ts";
import { readMaildir, readMessageFile } from "./maildir.ts";
import { readMbox } from "./mbox.ts";
import type { MboxQuoting } from "./mbox_splitter.ts";

export interface MailboxOptions {
  /** `mboxrd` by default; nothing in a file says which one its writer used. */
  readonly mboxQuoting?: MboxQuoting;
}

/**
 * Reads a mailbox. Items come in a fixed order (by name; within an mbox file in its order), one at a time.
 *
 * - A file named `*.eml` is one message, even if it begins with "From "; any other file is an mbox if it begins so, and one
 *   message otherwise.
 * - A folder with `cur` or `new` in it is a Maildir; its sub-folders (`.Sent`, `.Work.Projects`) become channel hints.
 * - Any other folder is searched to the bottom for `*.eml` and mbox files; a file that is neither is reported as a problem.
 *   Hidden files and mail programs' indexes (`*.msf`) are passed over. Symbolic links below the path are not followed.
 *
 * @throws `not_found` or `storage` when the path itself cannot be looked at; everything below it becomes a problem item
 */
export async function* readMailbox(path: string, options: MailboxOptions = {}): AsyncGenerator<MailItem> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    throw fromOsError(error, `open the mailbox ${path}`);
  }
  if (info.isDirectory) yield* readFolder(path, [], options, 0);
  else yield* readFile(path, [], options, "top");
}

async function* readFolder(
  path: string,
  levels: readonly string[],
  options: MailboxOptions,
  depth: number,
): AsyncGenerator<MailItem> {
  if (depth > LIMITS.maxMailboxDepth) {
    yield mailProblem(
      path,
      new PosternError("unsupported", `${path} is nested more than ${LIMITS.maxMailboxDepth} folders deep`),
    );
    return;
  }
  const listed = await listFolder(path);
  if (listed.error) yield mailProblem(path, listed.error);
  const folders = listed.entries.filter((entry) => entry.isDirectory).map((entry) => entry.name);
  const isMaildir = folders.includes("cur") || folders.includes("new");
  if (isMaildir) yield* readMaildir(path, channelHint(levels));
  for (const entry of listed.entries) {
    const below = join(path, entry.name);
    if (entry.isDirectory) {
      const more = subfolderLevels(entry.name, isMaildir);
      if (more !== null) yield* readFolder(below, [...levels, ...more], options, depth + 1);
    } else if (entry.isSymlink) {
      yield mailProblem(
        below,
        new PosternError("unsupported", `${below} is a symbolic link; links inside a mailbox are not followed`),
      );
    } else if (entry.isFile && !entry.name.startsWith(".")) {
      yield* readFile(below, levels, options, isMaildir ? "maildir" : "folder");
    }
  }
}

/** What a sub-folder adds to the channel's name; null for one that holds no messages of its own. */
function subfolderLevels(name: string, inMaildir: boolean): string[] | null {
  if (inMaildir) {
    if (name === "cur" || name === "new" || name === "tmp") return null;
    return name.startsWith(".") ? maildirLevels(name) : [name];
  }
  // Thunderbird keeps sub-folders in "Name.sbd", Apple Mail exports a folder as "Name.mbox".
  return name.startsWith(".") ? null : [name.replace(/\.(sbd|mbox)$/i, "")];
}

/** @param place where the file is: given itself, in a plain folder, or beside the folders of a Maildir, among its indexes */
async function* readFile(
  path: string,
  levels: readonly string[],
  options: MailboxOptions,
  place: "top" | "folder" | "maildir",
): AsyncGenerator<MailItem> {
  const name = basename(path);
  if (/\.eml$/i.test(name)) {
    yield await readMessageFile(path, channelHint(levels));
    return;
  }
  if (place !== "top" && /\.msf$/i.test(name)) return;
  try {
    if (await beginsWithFrom(path)) {
      const own = name.replace(/\.(mbox|mbx)$/i, "");
      const hint = channelHint(own === "mbox" ? levels : [...levels, own]);
      yield* readMbox(path, { ...mboxQuoting(options), ...(hint === undefined ? {} : { channelHint: hint }) });
      return;
    }
  } catch (error) {
    if (!isPosternError(error)) throw error;
    yield mailProblem(path, error);
    return;
  }
  if (place === "top") yield await readMessageFile(path);
  else if (place === "folder") {
    yield mailProblem(
      path,
      new PosternError("unsupported", `${path} is neither an .eml file nor an mbox; name it .eml if it is a message`),
    );
  }
}

function mboxQuoting(options: MailboxOptions): { quoting?: MboxQuoting } {
  return options.mboxQuoting === undefined ? {} : { quoting: options.mboxQuoting };
}

/** Whether the first line that is not empty begins with "From ". */
async function beginsWithFrom(path: string): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) throw new PosternError("unsupported", `${path} is neither a file nor a folder`);
    using file = await Deno.open(path, { read: true });
    const start = new Uint8Array(64);
    const length = await file.read(start) ?? 0;
    return /^[\r\n]*From /.test(new TextDecoder("latin1").decode(start.subarray(0, length)));
  } catch (error) {
    throw fromOsError(error, `read ${path}`);
  }
}

/** What git knows of the source that a release is made of; nothing where there is no git. */

/** A commit and when it was made. */
export interface Source {
  /** Hex. */
  readonly commit: string;
  /** Millis since 1970. */
  readonly time: number;
}

/** As `git for-each-ref` tells of a tag: its name, type, commit, message. */
const TAG = /^refs\/tags\/(.+)\0(tag|commit)\0([0-9a-f]*)\0([^]*)\n$/;
const ANSWER = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9]{1,12})\n$/;

/** A tag and what it says; null for one without a message. */
export interface Tag {
  /** Hex. */
  readonly commit: string;
  readonly message: string | null;
}

/** The commit that a folder is checked out at; null where it is no checkout, or git is not installed. */
export async function readSource(folder: string): Promise<Source | null> {
  const [, commit, seconds] = ANSWER.exec(await git(folder, "show", "--no-patch", "--format=%H %ct", "HEAD")) ?? [];
  return commit === undefined ? null : { commit, time: 1_000 * Number(seconds) };
}

/** A tag of the repository that a folder is in. @returns null where there is none */
export async function readTag(folder: string, name: string): Promise<Tag | null> {
  // Of an annotated tag the commit is behind it; a signature is no part of subject and body.
  const format = "%(refname)%00%(objecttype)%00%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)%00" +
    "%(contents:subject)%0a%0a%(contents:body)";
  const told = await git(folder, "for-each-ref", `--format=${format}`, "--count=1", `refs/tags/${name}`);
  const [, found, type, commit = "", message = ""] = TAG.exec(told) ?? [];
  // A pattern finds more than the one of that name.
  if (found !== name) return null;
  return { commit, message: type === "tag" ? message : null };
}

/** @returns nothing where git fails, or is not installed */
async function git(folder: string, ...args: readonly string[]): Promise<string> {
  try {
    const command = new Deno.Command("git", { args: ["-C", folder, ...args], stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** What git knows of the source that a release is made of; nothing where there is no git. */

/** A commit and when it was made. */
export interface Source {
  /** Hex. */
  readonly commit: string;
  /** Millis since 1970. */
  readonly time: number;
}

const ANSWER = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9]{1,12})$/;

/** The commit that a folder is checked out at; null where it is no checkout, or git is not installed. */
export async function readSource(folder: string): Promise<Source | null> {
  try {
    const args = ["-C", folder, "show", "--no-patch", "--format=%H %ct", "HEAD"];
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    const [, commit, seconds] = ANSWER.exec(new TextDecoder().decode(stdout).trim()) ?? [];
    return success && commit !== undefined ? { commit, time: 1_000 * Number(seconds) } : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Runs another program and hands back what it says. */
import { PosternError } from "../../../shared/errors.ts";

/** What fails for one reason may say so for each of a thousand files. */
const SHOWN_LINES = 3;
/** What a tool says of a full disk, as strerror(3) has it. */
const DISK_FULL = "No space left on device";

/** @throws `configuration` if it is not installed, `storage` if it fails */
export async function runTool(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
    if (success) return new TextDecoder().decode(stdout);
    throw new PosternError(
      "storage",
      `${command} ${args[0]} failed: ${shown(new TextDecoder().decode(stderr).trim())}`,
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PosternError("configuration", `${command} is not installed`, { cause: error });
  }
}

function shown(said: string): string {
  const lines = said.split("\n");
  const more = lines.length > SHOWN_LINES ? `\nand ${lines.length - SHOWN_LINES} lines more` : "";
  const advice = said.includes(DISK_FULL) ? "\nfree some space on this disk" : "";
  return lines.slice(0, SHOWN_LINES).join("\n") + more + advice;
}

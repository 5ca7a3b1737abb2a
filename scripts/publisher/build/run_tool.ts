/** Runs another program and hands back what it says. */
import { PosternError } from "../../../shared/errors.ts";

/** @throws `configuration` if it is not installed, `storage` if it fails */
export async function runTool(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
    if (success) return new TextDecoder().decode(stdout);
    const said = new TextDecoder().decode(stderr).trim();
    throw new PosternError("storage", `${command} ${args[0]} failed: ${said}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PosternError("configuration", `${command} is not installed`, { cause: error });
  }
}

/** Runs the OpenSSL command line, an implementation that shares no code with ours. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { needs } from "../../tools/needs.ts";

/** Registers tests that compare with OpenSSL. */
export const withOpenssl = needs("openssl");

/**
 * Runs commands one after the other in a folder of their own that holds `inputs`, and returns the file `out` that they leave.
 * Each word of a command is separated by one space. Fails if a command fails.
 */
export async function openssl(
  commands: readonly string[],
  inputs: Readonly<Record<string, Bytes>> = {},
): Promise<Bytes> {
  const folder = await Deno.makeTempDir({ prefix: "postern-openssl-" });
  try {
    for (const [name, bytes] of Object.entries(inputs)) await Deno.writeFile(`${folder}/${name}`, bytes);
    for (const command of commands) {
      const run = new Deno.Command("openssl", { args: command.split(" "), cwd: folder, stdin: "null" });
      const { success, stderr } = await run.output();
      if (!success) throw new Error(`openssl ${command}: ${new TextDecoder().decode(stderr)}`);
    }
    return new Uint8Array(await Deno.readFile(`${folder}/out`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** True if the command succeeds, false if it ends with an error. */
export async function opensslAccepts(command: string, inputs: Readonly<Record<string, Bytes>>): Promise<boolean> {
  try {
    await openssl([command], { ...inputs, out: utf8("") });
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("openssl ")) return false;
    throw error;
  }
}

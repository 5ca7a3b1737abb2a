/** A publisher's scripts as processes of their own, in the folder of a workshop. */
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert } from "../../assert.ts";
import type { Workshop } from "./workshop.ts";

/** Runs a script as a process. */
export async function script(workshop: Workshop, line: string): Promise<Record<string, unknown>> {
  const [name, ...args] = line.split(" ");
  const { success, stdout, stderr } = await start(workshop, [`${name}`, ...args]).output();
  assert(success, `${line}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A script with `--json`, to be started: as somebody whose files nobody else may read, which is what docs/publishing.md advises. */
export function start(workshop: Workshop, [name, ...args]: readonly string[]): Deno.Command {
  const path = `${PROJECT_ROOT}/scripts/${name}.ts`;
  const env = { SOURCE_DATE_EPOCH: `${Math.floor(Date.now() / 1_000) - 60}` };
  const line = [Deno.execPath(), "run", "-A", "--quiet", path, ...args, "--json"];
  return new Deno.Command("sh", {
    ...{ args: ["-c", 'umask 077; exec "$@"', "sh", ...line], cwd: workshop.path, env },
    ...{ stdout: "piped", stderr: "piped" },
  });
}

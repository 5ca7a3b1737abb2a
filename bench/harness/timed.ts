/** Runs a program of others from its start to its end. */

/** How long it took. */
export interface TimedRun {
  readonly seconds: number;
}

/** @throws Error when it fails, with what it said on standard error */
export async function runTimed(program: string, args: readonly string[]): Promise<TimedRun> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null", stderr: "piped" });
  const began = performance.now();
  const { success, code, stderr } = await command.output();
  const seconds = (performance.now() - began) / 1_000;
  if (!success) throw new Error(`${program} ended with code ${code}: ${new TextDecoder().decode(stderr)}`);
  return { seconds };
}

/** Whether a program is found where programs are looked for. */
export async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder !== "" && await isFile(`${folder}/${program}`)) return true;
  }
  return false;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

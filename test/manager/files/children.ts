/** Starting the child processes of these tests, and the outside tools that some of them need. */

/** Arguments that run a script of this folder in another Deno. Its code cache would write files of its own between ours. */
export function denoArgs(script: string, ...args: string[]): string[] {
  const path = new URL(script, import.meta.url).pathname;
  return ["run", "--allow-all", "--no-code-cache", "--quiet", path, ...args];
}

/** Starts a script and waits for its first line of output. */
export async function startScript(
  script: string,
  ...args: string[]
): Promise<{ child: Deno.ChildProcess; line: string }> {
  const child = new Deno.Command(Deno.execPath(), { args: denoArgs(script, ...args), stdout: "piped" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return { child, line: text.trim() };
}

/** Ends a child as a power cut would, and waits until it is gone. */
export async function killNow(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
}

/** Runs a command to its end. */
export async function run(
  command: string,
  ...args: string[]
): Promise<{ code: number; signal: string | null; out: string }> {
  const result = await new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).output();
  const out = new TextDecoder().decode(result.stdout) + new TextDecoder().decode(result.stderr);
  return { code: result.code, signal: result.signal, out };
}

/** Runs with a new folder, which is removed afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a module of the benches in a process of its own and reads the one JSON value that it prints. */
import { PROJECT_ROOT } from "../../scripts/files.ts";

/** A script under way. */
export interface RunningScript {
  readonly pid: number;
  /** What it printed. @throws Error when it failed; what it said stands on standard error */
  result<T>(): Promise<T>;
}

/** Starts a module, given by its path below `bench/`. @param flags for the runtime, @param env in its environment */
export function startScript(
  module: string,
  args: readonly string[],
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): RunningScript {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", ...flags, `${PROJECT_ROOT}/bench/${module}`, ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return {
    pid: child.pid,
    async result<T>() {
      const { success, code, stdout } = await child.output();
      if (!success) throw new Error(`bench/${module} ended with code ${code}`);
      return JSON.parse(new TextDecoder().decode(stdout)) as T;
    },
  };
}

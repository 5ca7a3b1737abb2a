/** Whether a version that was switched to works, by a command of its owner's. */
import { join } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../files/os_error.ts";

/** Variables that a health check is given. */
const PASSED_ON = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"] as const;

/** Null if it is well; otherwise what was found, for people. */
export type Health = string | null;

/**
 * Runs the command: exit code 0 within its time is health. It runs in the version's folder, where a relative program with a slash is
 * looked for; no shell is between, and of the environment it sees a few harmless variables alone.
 *
 * @param argv program and arguments; empty for no check
 */
export async function checkHealth(
  folder: string,
  argv: readonly string[],
  millis: number,
  stop?: AbortSignal,
): Promise<Health> {
  const [program, ...args] = argv;
  if (program === undefined) return null;
  const path = program.includes("/") && !program.startsWith("/") ? join(folder, program) : program;
  const ending = new AbortController();
  const abort = () => ending.abort();
  const timer = setTimeout(abort, millis);
  stop?.addEventListener("abort", abort);
  try {
    const child = new Deno.Command(path, {
      ...{ args, cwd: folder, clearEnv: true, env: environment() },
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    ending.signal.addEventListener("abort", () => killQuietly(child));
    if (ending.signal.aborted) killQuietly(child);
    const { code, signal } = await child.status;
    if (stop?.aborted) throw stop.reason;
    if (ending.signal.aborted) return `the health check did not end within ${millis / 1_000} s`;
    return code === 0 && signal === null ? null : `the health check ended with ${signal ?? code}`;
  } catch (error) {
    if (error instanceof PosternError || stop?.aborted) throw error;
    if (error instanceof Deno.errors.NotCapable) throw fromOsError(error, `run the health check ${path}`);
    return "the health check could not be started";
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", abort);
  }
}

/** What a new version may know of this process: none of its secrets, of which some lie in the environment. */
function environment(): Record<string, string> {
  const known = PASSED_ON.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(known);
}

function killQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

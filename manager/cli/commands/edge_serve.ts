/** `postern edge serve`: an edge on this machine, in a process of its own. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorCode, PosternError } from "../../../shared/errors.ts";
import { fromOsError } from "../../files/os_error.ts";
import type { Cli } from "../cli.ts";
import type { Output } from "../output.ts";
import { readSettingsFile } from "../edge_settings.ts";

const STOP_GRACE_MILLIS = 10_000;

/** What the exit codes of edge/hosts/deno.ts say. */
const EDGE_EXITS: ReadonlyMap<number, ErrorCode> = new Map([
  [69, "network"],
  [74, "storage"],
  [77, "wrong_key"],
  [78, "configuration"],
]);

/** The manager's code never imports the edge's: it runs it as a process of its own. */
export async function serve(
  cli: Cli,
  _args: readonly string[],
  options: { readonly envFile?: string },
): Promise<Output> {
  const { s } = cli;
  const env = options.envFile === undefined ? {} : await readSettingsFile(resolve(s.cwd, options.envFile), s.uid);
  const script = fileURLToPath(new URL("../../../edge/hosts/deno.ts", import.meta.url));
  await requireEdgeCode(script);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--quiet", script],
      cwd: s.cwd,
      env,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    throw fromOsError(error, `start the edge ${script}`);
  }
  const { code, isStopped } = await untilStopped(child, cli);
  if (code === 0 || isStopped) return { json: null, text: "", isSilent: true };
  const why = EDGE_EXITS.get(code) ?? "configuration";
  throw new PosternError(why, `The edge ended with ${code}; what it said stands above`);
}

/** An installed manager comes without the edge's code. */
async function requireEdgeCode(script: string): Promise<void> {
  try {
    await Deno.stat(script);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fromOsError(error, `find the edge ${script}`);
    throw new PosternError(
      "configuration",
      "This installation has no edge in it: run the command in a copy of the repository",
    );
  }
}

async function untilStopped(child: Deno.ChildProcess, { s }: Cli): Promise<{ code: number; isStopped: boolean }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    end(child, "SIGTERM");
    timer = setTimeout(() => end(child, "SIGKILL"), STOP_GRACE_MILLIS);
  };
  s.stop.addEventListener("abort", stop, { once: true });
  const { code } = await child.status;
  clearTimeout(timer);
  s.stop.removeEventListener("abort", stop);
  return { code, isStopped: s.stop.aborted };
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It ended by itself in this very moment.
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}

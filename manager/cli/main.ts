/** Entry point of `postern`: the only file of the command line that reads environment, clock, randomness and terminal. */
import process from "node:process";
import { runtimeSurroundings } from "../../shared/client/surroundings.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { PosternError } from "../../shared/errors.ts";
import { asking } from "./asking.ts";
import { readInput, writeTo } from "./console.ts";
import { runCli } from "./program.ts";
import type { CliSurroundings } from "./surroundings.ts";
import { EXIT } from "./exit_codes.ts";

/**
 * The first signal asks a command that heeds it to stop, and ends any other; the second one ends every command at once. Whatever
 * is cut off, the next turn recovers from.
 */
function stopping(): () => AbortSignal {
  const controller = new AbortController();
  let isHeeded = false;
  const stop = () => {
    if (!isHeeded || controller.signal.aborted) Deno.exit(EXIT.interrupted);
    controller.abort(new PosternError("usage", "Stopped"));
  };
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  return () => {
    isHeeded = true;
    return controller.signal;
  };
}

function surroundings(): CliSurroundings {
  const isTerminal = { out: Deno.stdout.isTerminal(), err: Deno.stderr.isTerminal() };
  const heed = stopping();
  const isInteractive = Deno.stdin.isTerminal() && isTerminal.err;
  return {
    env: (name) => Deno.env.get(name) || undefined,
    cwd: Deno.cwd(),
    out: writeTo(Deno.stdout),
    err: writeTo(Deno.stderr),
    readInput,
    isTerminal,
    columns: () => isTerminal.out ? Deno.consoleSize().columns : null,
    ask: asking(isInteractive ? { input: process.stdin, output: process.stderr } : null),
    now: () => Date.now(),
    random: webCryptoRandom,
    uid: Deno.uid(),
    pid: Deno.pid,
    network: runtimeSurroundings(),
    get stop() {
      return heed();
    },
  };
}

if (import.meta.main) Deno.exit(await runCli(Deno.args, surroundings()));

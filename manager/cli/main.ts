/** Entry point of `postern`: the only file of the command line that reads environment, clock, randomness and terminal. */
import { Buffer } from "node:buffer";
import process from "node:process";
import { runtimeSurroundings } from "../../shared/client/surroundings.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { PosternError } from "../../shared/errors.ts";
import { asking } from "./asking.ts";
import { runCli } from "./program.ts";
import type { CliSurroundings } from "./surroundings.ts";
import { EXIT } from "./exit_codes.ts";

async function readInput(maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw new PosternError("too_large", `The input is larger than ${maxBytes} bytes`);
  }
  const all = new Uint8Array(length);
  Buffer.concat(chunks).copy(all);
  return all;
}

/** Whole, also into a slow pipe; a reader that has gone away ends the program, as for any other tool. */
function writeTo(stream: { writeSync(bytes: Uint8Array): number }): (text: string) => void {
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      Deno.exit(EXIT.ok);
    }
  };
}

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

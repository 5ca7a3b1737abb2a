/** Starts a server in a process of its own, and talks to it. */
import { fromFileUrl } from "../../scripts/files.ts";
import type { HotSpot } from "../harness/profile.ts";
import type { ProfileRequest, Ready } from "./control.ts";

/** A server that runs. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  /** What takes its time over the next so many seconds. */
  profile(seconds: number): Promise<HotSpot[]>;
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
}

/** How {@link startServer} starts it. */
export interface SpawnOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a module of this folder.
 *
 * @param module its file name
 * @throws Error when it ends before it listens; what it said stands on standard error
 */
export async function startServer(module: string, { args = [], env = {} }: SpawnOptions = {}): Promise<Server> {
  const path = fromFileUrl(new URL(`./${module}`, import.meta.url).href);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", path, ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = readLines(child.stdout);
  const input = child.stdin.getWriter();
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The server ${module} ended with code ${(await child.status).code}`);
    return JSON.parse(value) as T;
  };
  const { port } = await next<Ready>();
  return {
    ...{ pid: child.pid, port },
    async profile(seconds) {
      const request: ProfileRequest = { profileSeconds: seconds };
      await input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
      return await next<HotSpot[]>();
    },
    async stop() {
      await input.close().catch(() => {/* it has ended already */});
      await child.status;
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/** The real processes of a household: started, killed the hard way, started again on what they left. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/files.ts";

const CONFIG = join(PROJECT_ROOT, "deno.json");
const KILLER = join(PROJECT_ROOT, "test/faults/kill_at_write.ts");
const MANAGER = join(PROJECT_ROOT, "manager/cli/main.ts");
const DEVICE = join(PROJECT_ROOT, "test/faults/device_program.ts");
const EDGE = join(PROJECT_ROOT, "edge/hosts/deno.ts");

/** How a process came to its end. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly err: string;
}

/** A process under way. */
export class Running {
  readonly #child: Deno.ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(entry: string, args: readonly string[], env: Readonly<Record<string, string>>, onSaid?: () => void) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--quiet", "--no-check", "--config", CONFIG, "--preload", KILLER, entry, ...args],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.ended = this.#watch(onSaid);
  }

  /** Resolves once it is gone. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
  }

  async #watch(onSaid?: () => void): Promise<Ended> {
    let err = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      if (err.includes("listening on")) onSaid?.();
    }
    const { code, signal } = await this.#child.status;
    return { code, signal, err };
  }
}

/** `postern ARGS` as a process. */
export function runManager(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  return new Running(MANAGER, args, env);
}

/** What a device's program does, to its end. */
export async function runDevice(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return await new Running(DEVICE, args, env).ended;
}

/** The edge, once it listens. @throws when it ends instead */
export async function startEdge(env: Readonly<Record<string, string>>): Promise<Running> {
  const listening = Promise.withResolvers<void>();
  const edge = new Running(EDGE, [], env, listening.resolve);
  await Promise.race([
    listening.promise,
    edge.ended.then(({ err }) => Promise.reject(new Error(`the edge ended: ${err}`))),
  ]);
  return edge;
}

export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Runs the edge on workerd, the runtime of Cloudflare Workers, built as wrangler builds it. */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { parse as parseToml } from "@std/toml/parse";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import type { Bundle } from "../../scripts/worker/bundle.ts";
import { builtWorker } from "./built_worker.ts";

/** What to run and with which settings. */
export interface WorkerdOptions {
  /** Text variables and secrets, as `wrangler secret` would set them. */
  readonly env?: Readonly<Record<string, string>>;
  /** A built worker; the project's own by default. */
  readonly bundle?: Bundle;
}

/** A running worker. */
export interface Workerd {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Process id, for measurements of memory and CPU. */
  readonly pid: number;
  /** All that it has logged so far. */
  output(): string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const STARTS_WITHIN_MILLIS = 15_000;

/** Starts the worker on a free port and waits until it listens. */
export async function start(options: WorkerdOptions = {}): Promise<Workerd> {
  const bundle = options.bundle ?? await builtWorker();
  const folder = await Deno.makeTempDir({ prefix: "workerd-" });
  for (const file of bundle.files) await Deno.writeFile(`${folder}/${file.name}`, file.bytes);
  const settings = parseToml(await Deno.readTextFile(`${PROJECT_ROOT}/wrangler.toml`)) as Settings;
  await Deno.writeTextFile(`${folder}/config.capnp`, makeConfig(bundle, settings, options.env ?? {}));
  const child = new Deno.Command(workerdPath(), {
    // Descriptor 1 carries the port as a line of JSON, among what the worker logs.
    args: ["serve", `${folder}/config.capnp`, "--control-fd=1"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = { text: "" };
  const ended = Promise.all([collect(child.stdout, log), collect(child.stderr, log), child.status]);
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It ended by itself before.
      if (!(error instanceof TypeError)) throw error;
    }
    await ended;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const port = await waitForPort(log, ended);
    return { origin: `http://127.0.0.1:${port}`, pid: child.pid, output: () => log.text, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Settings = { readonly compatibility_date: string; readonly compatibility_flags: readonly string[] };

/** The configuration as Cap'n Proto text. Its strings are written like JSON's. */
function makeConfig(bundle: Bundle, settings: Settings, env: Readonly<Record<string, string>>): string {
  const text = (value: string) => JSON.stringify(value);
  const ordered = [...bundle.files].sort((a, b) => Number(b.name === bundle.main) - Number(a.name === bundle.main));
  const modules = ordered.map(({ name }) => `(name = ${text(name)}, ${moduleKind(name)} = embed ${text(name)})`);
  const bindings = Object.entries(env).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    # Tests let it reach servers on this machine, which a deployed worker cannot.
    (name = "network", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")],
);
const edge :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${text(settings.compatibility_date)},
  compatibilityFlags = [${settings.compatibility_flags.map(text).join(", ")}],
  bindings = [${bindings.join(", ")}],
  globalOutbound = "network",
);
`;
}

function moduleKind(name: string): string {
  if (name.endsWith(".js") || name.endsWith(".mjs")) return "esModule";
  if (name.endsWith(".wasm")) return "wasm";
  return name.endsWith(".txt") ? "text" : "data";
}

/** Where npm put the program of this platform. */
export function workerdPath(): string {
  const fromWrangler = createRequire(`${realpathSync(`${PROJECT_ROOT}/node_modules/wrangler`)}/package.json`);
  const fromMiniflare = createRequire(fromWrangler.resolve("miniflare"));
  return (fromMiniflare("workerd") as { default: string }).default;
}

async function collect(stream: ReadableStream<Uint8Array>, log: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) log.text += decoder.decode(chunk, { stream: true });
}

async function waitForPort(log: { text: string }, ended: Promise<unknown>): Promise<number> {
  let hasEnded = false;
  ended.then(() => hasEnded = true);
  for (let waited = 0; waited < STARTS_WITHIN_MILLIS && !hasEnded; waited += 10) {
    const port = /"event":\s*"listen".*?"port":\s*(\d+)/.exec(log.text)?.[1];
    if (port !== undefined) return Number(port);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`workerd ${hasEnded ? "ended at once" : "does not listen"}:\n${log.text}`);
}

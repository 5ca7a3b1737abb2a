/**
 * Builds the worker exactly as `wrangler deploy` would, without an account and without sending anything.
 *
 * wrangler's own launcher wants a newer Node than many machines have, so it runs in the Deno that runs this: the one
 * program that everyone who works on this project has. It writes its settings and logs into a folder that is thrown
 * away, asks nothing and reports nothing to anyone.
 */
import { PROJECT_ROOT } from "../files.ts";

/** One file of a built worker. */
export type BundleFile = { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> };

/** A built worker: the module it starts with, and all that goes up with it. */
export type Bundle = { readonly main: string; readonly files: readonly BundleFile[] };

/** Which wrangler.toml to build; everything beside it, node_modules above all, is looked for from `root`. */
export type BuildOptions = { readonly root?: string; readonly config?: string };

/**
 * Builds the worker of a wrangler.toml, the project's own by default.
 * @throws Error with wrangler's own words when it does not build.
 */
export async function buildWorker(options: BuildOptions = {}): Promise<Bundle> {
  const root = options.root ?? PROJECT_ROOT;
  const directory = await Deno.makeTempDir({ prefix: "postern-wrangler-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        await pinnedWrangler(),
        "deploy",
        "--dry-run",
        `--outdir=${directory}/out`,
        `--config=${options.config ?? `${root}/wrangler.toml`}`,
      ],
      cwd: root,
      stdin: "null",
      env: {
        CI: "true",
        NO_COLOR: "1",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        WRANGLER_LOG_PATH: `${directory}/logs`,
        XDG_CONFIG_HOME: `${directory}/config`,
      },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    if (!success) throw new Error(`wrangler does not build the worker:\n${said}`);
    return readBundle(`${directory}/out`, said);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The version that deno.json pins, so that no other is fetched. */
async function pinnedWrangler(): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(`${PROJECT_ROOT}/deno.json`)) as {
    imports: Record<string, string>;
  };
  const wrangler = config.imports["wrangler"];
  if (wrangler === undefined) throw new Error("deno.json does not name wrangler");
  return wrangler;
}

function readBundle(directory: string, said: string): Bundle {
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).sort();
  const files = names.filter((name) => !name.endsWith(".map") && name !== "README.md")
    .map((name) => ({ name, bytes: Deno.readFileSync(`${directory}/${name}`) }));
  const main = files.find((file) => file.name.endsWith(".js"))?.name;
  if (main === undefined) throw new Error(`wrangler wrote no worker:\n${said}`);
  return { main, files };
}

/** Bytes of all files together, as they are and compressed with gzip, as the upload is measured. */
export async function weigh(bundle: Bundle): Promise<{ readonly bytes: number; readonly gzipBytes: number }> {
  const whole = new Blob(bundle.files.map((file) => file.bytes));
  const compressed = whole.stream().pipeThrough(new CompressionStream("gzip"));
  return { bytes: whole.size, gzipBytes: (await new Response(compressed).arrayBuffer()).byteLength };
}

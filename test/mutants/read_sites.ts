/** Runs Deno's parser over files and hands back the sites that `sites.ts` reports of them. */
import { fromFileUrl, relativePath } from "../../scripts/files.ts";
import type { Site } from "./sites.ts";

interface LintOutput {
  readonly diagnostics: readonly { readonly filename: string; readonly message: string }[];
  readonly errors: readonly { readonly file_path: string; readonly message: string }[];
}

/** The sites of files, which are paths below `root`. @throws Error when a file cannot be parsed */
export async function readSites(root: string, paths: readonly string[]): Promise<ReadonlyMap<string, readonly Site[]>> {
  const folder = await Deno.makeTempDir({ prefix: "postern-sites-" });
  try {
    const config = `${folder}/deno.json`;
    const plugins = [new URL("./sites.ts", import.meta.url).href];
    await Deno.writeTextFile(
      config,
      JSON.stringify({ lint: { plugins, rules: { tags: [], include: ["mutants/sites"] } } }),
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["lint", "--json", "--config", config, ...paths],
      ...{ cwd: root, env: { NO_COLOR: "1" } },
    }).output();
    const printed = new TextDecoder().decode(stdout);
    if (printed.trim() === "") throw new Error(`deno lint printed nothing: ${new TextDecoder().decode(stderr)}`);
    return sitesOf(root, JSON.parse(printed) as LintOutput);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function sitesOf(root: string, { diagnostics, errors }: LintOutput): ReadonlyMap<string, readonly Site[]> {
  const [failed] = errors;
  if (failed !== undefined) throw new Error(`${failed.file_path}: ${failed.message}`);
  const sites = new Map<string, Site[]>();
  for (const { filename, message } of diagnostics) {
    const path = relativePath(root, fromFileUrl(filename));
    sites.set(path, [...sites.get(path) ?? [], JSON.parse(message) as Site]);
  }
  return sites;
}

/**
 * The packages of a release. What is JavaScript becomes a few files under vendor/, one for each name that the code imports and what
 * they share: the packages have thousands of files, and GitHub takes a thousand a release. What has native code stays a package.
 */
import { join } from "node:path";
import type { ModuleGraph } from "../../service/module_graph.ts";
import { runTool } from "./run_tool.ts";
import type { Placed } from "./layout.ts";

/** They load native code by its place. */
export const NATIVE: readonly string[] = ["libsql", "pkcs11js"];
const LICENCE = /^(?:licen[cs]e|notice|copying)/i;

/** What the code imports, but for native packages, and the file of each under vendor/. */
export function vendored(graph: Pick<ModuleGraph, "packages">): ReadonlyMap<string, string> {
  const names = [...new Set(graph.packages)].filter((one) => !NATIVE.includes(one)).sort();
  return new Map(names.map((one) => [one, `${one.replace(/\.js$/, "").replaceAll(/[^A-Za-z0-9.-]+/g, "_")}.js`]));
}

const DEFAULT_IMPORT = /^import [A-Za-z_$][\w$]*(?:, ?\{[^}]*\})? from "([^"]+)";$/gm;

/** Of which packages a source takes the default export. */
export function defaultsOf(source: string): string[] {
  return [...source.matchAll(DEFAULT_IMPORT)].map(([, specifier = ""]) => specifier);
}

/**
 * Bundles.
 *
 * @param defaults the packages of which the default export is taken, too
 * @param folder with a deno.json and the packages, laid out
 * @returns the folder of the files
 */
export async function bundleVendored(
  files: ReadonlyMap<string, string>,
  defaults: ReadonlySet<string>,
  folder: string,
): Promise<string> {
  const sources = join(folder, "entries");
  await Deno.mkdir(sources);
  const entries: string[] = [];
  for (const [specifier, file] of files) {
    const entry = join("entries", file.replace(/\.js$/, ".ts"));
    const from = `from ${JSON.stringify(specifier)};\n`;
    const more = defaults.has(specifier) ? `export { default } ${from}` : "";
    await Deno.writeTextFile(join(folder, entry), `export * ${from}${more}`);
    entries.push(entry);
  }
  const options = ["--quiet", "--platform", "deno", "--code-splitting", "--outdir", "vendor"];
  const external = NATIVE.map((name) => `--external=${name}`);
  await runTool(Deno.execPath(), ["bundle", ...options, ...external, ...entries], folder);
  return join(folder, "vendor");
}

/** What the packages' licences say, one after the other. @param root that the packages lie below */
export async function licencesOf(packages: readonly Placed[], root: string): Promise<string> {
  const texts: string[] = [];
  for (const { name, version, path } of packages) {
    const folder = join(root, path);
    const found = [...Deno.readDirSync(folder)].filter((one) => one.isFile && LICENCE.test(one.name));
    const told = await Promise.all(found.map((one) => Deno.readTextFile(join(folder, one.name))));
    const { license = "" } = JSON.parse(await Deno.readTextFile(join(folder, "package.json"))) as { license?: string };
    texts.push([`${name} ${version} ${license}`, ...told].join("\n\n"));
  }
  return `${texts.join(`\n\n${"=".repeat(80)}\n\n`)}\n`;
}

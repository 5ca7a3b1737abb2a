/**
 * wrangler does not read deno.json: it finds packages by name in node_modules and takes anything else from `[alias]` in
 * wrangler.toml. This check keeps the two equal, for every package that the worker loads, so that the worker which is
 * deployed is made of what was tested. It also insists that every package is pinned to one version.
 */
import { parse as parseToml } from "@std/toml/parse";
import { compareAliases, lookUp, neededAliases, packagesLoadedBy, parseTarget } from "./aliases/rules.ts";
import { readFacts } from "./facts/read.ts";
import { listFiles, PROJECT_ROOT } from "./files.ts";

/** Everything that is wrong at `root`, one sentence each. */
export async function checkAliases(root: string): Promise<string[]> {
  const { imports = {} } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as {
    imports?: Record<string, string>;
  };
  const wrangler = parseToml(await Deno.readTextFile(`${root}/wrangler.toml`)) as {
    main: string;
    alias?: Record<string, string>;
  };
  const paths = listFiles(root, ["edge", "shared"], /\.ts$/);
  if (!paths.includes(wrangler.main)) return [`wrangler.toml's main, ${wrangler.main}, is not there`];
  const packages = packagesLoadedBy(wrangler.main, await readFacts(root, paths));
  const unpinned = Object.entries(imports).filter(([, target]) => parseTarget(target) === undefined);
  return [
    ...unpinned.map(([key, target]) => `deno.json maps "${key}" to ${target}, which is no npm package at one version`),
    ...compareAliases(neededAliases(packages, imports), wrangler.alias ?? {}),
    ...packages.flatMap((specifier) => checkInstalled(root, specifier, imports)),
  ];
}

/** wrangler bundles what stands in node_modules, whatever deno.json says. */
function checkInstalled(root: string, specifier: string, imports: Record<string, string>): string[] {
  const target = parseTarget(lookUp(specifier, imports)?.target ?? "");
  if (target === undefined) return [];
  const path = `node_modules/${target.name}/package.json`;
  const installed = readVersion(`${root}/${path}`);
  if (installed === target.version) return [];
  return [`${path} is at ${installed ?? "no version at all"}, but deno.json pins ${target.version}: run deno install`];
}

function readVersion(path: string): string | undefined {
  try {
    return (JSON.parse(Deno.readTextFileSync(path)) as { version?: string }).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const problems = await checkAliases(Deno.args[0] ?? PROJECT_ROOT);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
}

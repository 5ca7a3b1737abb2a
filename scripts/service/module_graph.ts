/** Which files and packages a program consists of, by what `deno info --json` says of its entry point. Pure. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { PosternError } from "../../shared/errors.ts";

const infoShape = v.object({
  modules: v.array(v.object({
    specifier: v.string(),
    dependencies: v.optional(v.array(v.object({ specifier: v.string() })), []),
  })),
});

export interface ModuleGraph {
  /** Paths relative to the project, sorted. */
  readonly files: readonly string[];
  /** Specifiers of packages as the code writes them, sorted. */
  readonly packages: readonly string[];
}

/** @throws `malformed` for another output than `deno info --json` gives */
export function readModuleGraph(json: string, projectRoot: string): ModuleGraph {
  const parsed = v.safeParse(infoShape, JSON.parse(json));
  if (!parsed.success) throw new PosternError("malformed", "deno info --json printed something unforeseen");
  const { modules } = parsed.output;
  const files = modules.filter(({ specifier }) => specifier.startsWith("file:"))
    .map(({ specifier }) => relative(projectRoot, fileURLToPath(specifier)));
  const own = files.filter((path) => !path.startsWith("..") && !path.startsWith("node_modules"));
  const packages = modules.flatMap(({ dependencies }) => dependencies.map(({ specifier }) => specifier))
    .filter((specifier) => !/^(\.{0,2}\/|[a-z]+:)/.test(specifier));
  return { files: [...new Set(own)].sort(), packages: [...new Set(packages)].sort() };
}

/** The entries of an import map that these packages need. @throws `configuration` for a package that it does not have */
export function neededImports(
  imports: Readonly<Record<string, string>>,
  packages: readonly string[],
): Record<string, string> {
  const needed = packages.map((specifier) => {
    const key = Object.keys(imports).filter((one) =>
      specifier === one || (one.endsWith("/") && specifier.startsWith(one))
    )
      .sort((a, b) => b.length - a.length)[0] ?? Object.keys(imports).find((one) => specifier.startsWith(`${one}/`));
    const target = key === undefined ? undefined : imports[key];
    if (key !== undefined && target !== undefined) return [key, target] as const;
    throw new PosternError("configuration", `The import map has no entry for ${specifier}`);
  });
  return Object.fromEntries(needed.sort());
}

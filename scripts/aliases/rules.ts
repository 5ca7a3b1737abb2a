/** What wrangler must be told of deno.json's import map. Pure: facts and both files' contents in, problems out. */
import type { Located } from "../facts/read.ts";

/** A package as the import map names it: `npm:deno-std@1.4.0/crypto/` is deno-std, 1.4.0, `crypto/`. */
export type Target = { readonly name: string; readonly version: string; readonly path: string };

/** Reads an import map's target. Undefined for anything but a package of npm pinned to one version. */
export function parseTarget(target: string): Target | undefined {
  const match = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\/(.*))?$/.exec(target);
  const [, name, version, path = ""] = match ?? [];
  return name === undefined || version === undefined ? undefined : { name, version, path };
}

/** Names of packages, and no relative paths or runtime modules, that `main` loads through any number of files. */
export function packagesLoadedBy(main: string, facts: readonly Located[]): string[] {
  const seen = new Set([main]);
  const packages = new Set<string>();
  for (const path of seen) {
    for (const fact of facts) {
      if (fact.kind !== "import" || fact.path !== path || fact.how === "type") continue;
      if (/^\.{1,2}\//.test(fact.specifier)) seen.add(new URL(fact.specifier, `file:///${path}`).pathname.slice(1));
      else if (!/^[a-z]+:/.test(fact.specifier)) packages.add(fact.specifier);
    }
  }
  return [...packages].sort();
}

/** The entry of the import map that a specifier falls under, and what remains of the specifier behind it. */
export function lookUp(
  specifier: string,
  imports: Readonly<Record<string, string>>,
): { readonly target: string; readonly rest: string } | undefined {
  const exact = imports[specifier];
  if (exact !== undefined) return { target: exact, rest: "" };
  const keys = Object.keys(imports).sort((a, b) => b.length - a.length);
  const key = keys.find((one) => specifier.startsWith(one.endsWith("/") ? one : `${one}/`));
  const target = key === undefined ? undefined : imports[key];
  return key === undefined || target === undefined ? undefined : { target, rest: specifier.slice(key.length) };
}

/**
 * The aliases that wrangler needs. It finds packages by name in node_modules, so that only a specifier that the import
 * map sends to another name or path needs one, and wrangler compares the whole specifier, never a prefix.
 * Specifiers that the import map does not know are left to `check_layers.ts`.
 */
export function neededAliases(
  specifiers: readonly string[],
  imports: Readonly<Record<string, string>>,
): Record<string, string> {
  const aliases: Record<string, string> = {};
  for (const specifier of specifiers) {
    const found = lookUp(specifier, imports);
    const target = found && parseTarget(found.target);
    if (!found || !target) continue;
    const path = `${target.path}${found.rest}`.replace(/^\//, "");
    const resolved = path === "" ? target.name : `${target.name}/${path}`;
    if (resolved !== specifier) aliases[specifier] = resolved;
  }
  return aliases;
}

/** What differs between the aliases needed and those written. */
export function compareAliases(
  needed: Readonly<Record<string, string>>,
  written: Readonly<Record<string, string>>,
): string[] {
  const problems: string[] = [];
  for (const [name, target] of Object.entries(needed)) {
    if (written[name] !== target) {
      problems.push(`[alias] in wrangler.toml needs "${name}" = "${target}", and has ${written[name] ?? "nothing"}`);
    }
  }
  for (const name of Object.keys(written)) {
    if (needed[name] === undefined) {
      problems.push(`[alias] in wrangler.toml has "${name}", which the worker does not need`);
    }
  }
  return problems;
}

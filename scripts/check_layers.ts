/**
 * Keeps the boundaries of the project: what may import what, nothing in a circle, and which code must run on every
 * runtime. Fails with the list of violations. The rules are in `layers/`.
 */
import { readFacts } from "./facts/read.ts";
import { listFiles, PROJECT_ROOT, SOURCE_FOLDERS } from "./files.ts";
import { findCircles } from "./layers/circles.ts";
import { findViolations, type Violation } from "./layers/rules.ts";

/** A comment that would hide facts from the reader of facts. */
const HIDES_FACTS = /deno-lint-ignore(?:-file)?(?:\s*$|\s+--|[^\n]*\bpostern\/)/gm;

/** All violations of the project at `root`. */
export async function checkLayers(root: string): Promise<Violation[]> {
  const config = JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as { imports?: Record<string, string> };
  const packages = Object.keys(config.imports ?? {});
  const paths = listFiles(root, SOURCE_FOLDERS, /\.[cm]?[jt]sx?$/);
  const hidden = await Promise.all(paths.map((path) => findHidden(root, path)));
  const facts = await readFacts(root, paths);
  return [...hidden.flat(), ...findViolations(facts, packages), ...findCircles(facts)];
}

async function findHidden(root: string, path: string): Promise<Violation[]> {
  const text = await Deno.readTextFile(`${root}/${path}`);
  return [...text.matchAll(HIDES_FACTS)].map((match) => ({
    path,
    line: text.slice(0, match.index).split("\n").length,
    message: "a lint-ignore comment must name the rules that it means, and not this check's",
  }));
}

if (import.meta.main) {
  const violations = await checkLayers(Deno.args[0] ?? PROJECT_ROOT);
  for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
  if (violations.length > 0) Deno.exit(1);
}

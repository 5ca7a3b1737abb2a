/** That no files import each other in a circle, types included: whoever reads one file first must be able to. Pure. */
import type { Located } from "../facts/read.ts";
import type { Violation } from "./rules.ts";

/** An import of a file of the project's. */
type Import = { readonly path: string; readonly line: number; readonly target: string };

/** One violation for each circle, at the first of its imports that leads back. */
export function findCircles(facts: readonly Located[]): Violation[] {
  const imports = new Map<string, Import[]>();
  for (const fact of facts) {
    if (fact.kind !== "import" || !/^\.{1,2}\//.test(fact.specifier)) continue;
    const { path, line } = fact;
    const target = new URL(fact.specifier, `file:///${path}`).pathname.slice(1);
    imports.set(path, [...imports.get(path) ?? [], { path, line, target }]);
  }
  const violations: Violation[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    for (const { line, target } of imports.get(path) ?? []) {
      const start = way.indexOf(target);
      if (start >= 0) {
        const circle = [...way.slice(start), target].join(" -> ");
        violations.push({
          path,
          line,
          message: `imports in a circle: ${circle}. Give what both need a file of its own`,
        });
      } else if (!done.has(target)) visit(target, [...way, target]);
    }
    done.add(path);
  };
  for (const path of [...imports.keys()].sort()) if (!done.has(path)) visit(path, [path]);
  return violations;
}

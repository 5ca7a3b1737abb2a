import type { Located } from "../../scripts/facts/read.ts";
import { findCircles } from "../../scripts/layers/circles.ts";
import { assertEquals } from "../assert.ts";

/** Facts of imports, one a line: `from -> specifier`. */
function imports(...lines: readonly string[]): Located[] {
  return lines.map((one, line) => {
    const [path = "", specifier = ""] = one.split(" -> ");
    return { kind: "import", how: "type", path, specifier, line };
  });
}

Deno.test("findCircles() names every file of a circle, however long it is and wherever it is entered", () => {
  const facts = imports(
    "edge/entry.ts -> ./a.ts",
    "edge/a.ts -> ./b.ts",
    "edge/b.ts -> ./store/c.ts",
    "edge/store/c.ts -> ../a.ts",
    "edge/store/c.ts -> hono",
  );
  assertEquals(findCircles(facts), [{
    path: "edge/store/c.ts",
    line: 3,
    message:
      "imports in a circle: edge/a.ts -> edge/b.ts -> edge/store/c.ts -> edge/a.ts. Give what both need a file of its own",
  }]);
});

Deno.test("findCircles() finds nothing where two ways lead to the same file", () => {
  const facts = imports("a.ts -> ./b.ts", "a.ts -> ./c.ts", "b.ts -> ./d.ts", "c.ts -> ./d.ts");
  assertEquals(findCircles(facts), []);
});

Deno.test("findCircles() finds a file that imports itself", () => {
  assertEquals(findCircles(imports("a.ts -> ./a.ts")).map(({ path }) => path), ["a.ts"]);
});

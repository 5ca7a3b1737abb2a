import { compareAliases, lookUp, neededAliases, packagesLoadedBy, parseTarget } from "../../scripts/aliases/rules.ts";
import { checkAliases } from "../../scripts/check_aliases.ts";
import { assertEquals } from "../assert.ts";
import { withTempTree } from "../tools/temp_tree.ts";

const IMPORTS = {
  hono: "npm:hono@4.13.19",
  "@std/crypto/": "npm:/deno-std@1.4.0/crypto/",
  "@std/toml/parse": "npm:/deno-std@1.4.0/toml/parse.js",
  "@libsql/client/web": "npm:@libsql/client@0.18.0/web",
  unused: "npm:other@1.0.0",
};

const GOOD = {
  "deno.json": JSON.stringify({ imports: IMPORTS }),
  "wrangler.toml": 'main = "edge/worker.ts"\n[alias]\n"@std/crypto/equal.js" = "deno-std/crypto/equal.js"\n',
  "edge/worker.ts": 'import "../shared/a.ts"; import { Hono } from "hono"; export default Hono;',
  "edge/unreached.ts": 'import "unused";',
  "shared/a.ts":
    'import "@std/crypto/equal.js"; import "@libsql/client/web"; import type { X } from "unused"; export type Y = X;',
  "node_modules/hono/package.json": '{"version":"4.13.19"}',
  "node_modules/deno-std/package.json": '{"version":"1.4.0"}',
  "node_modules/@libsql/client/package.json": '{"version":"0.18.0"}',
};

function problemsOf(changes: Record<string, string>): Promise<string[]> {
  return withTempTree({ ...GOOD, ...changes }, checkAliases);
}

Deno.test("checkAliases() finds nothing wrong when wrangler resolves what Deno resolves", async () => {
  assertEquals(await problemsOf({}), []);
});

Deno.test("checkAliases() finds an alias that is missing, wrong or not needed", async () => {
  assertEquals(await problemsOf({ "wrangler.toml": 'main = "edge/worker.ts"\n' }), [
    '[alias] in wrangler.toml needs "@std/crypto/equal.js" = "deno-std/crypto/equal.js", and has nothing',
  ]);
  const wrong = GOOD["wrangler.toml"].replace("deno-std/crypto", "deno-std/other") + '"hono" = "hono"\n';
  assertEquals(await problemsOf({ "wrangler.toml": wrong }), [
    '[alias] in wrangler.toml needs "@std/crypto/equal.js" = "deno-std/crypto/equal.js", and has deno-std/other/equal.js',
    '[alias] in wrangler.toml has "hono", which the worker does not need',
  ]);
});

Deno.test("checkAliases() finds another version in node_modules than the one pinned", async () => {
  assertEquals(await problemsOf({ "node_modules/hono/package.json": '{"version":"4.0.0"}' }), [
    "node_modules/hono/package.json is at 4.0.0, but deno.json pins 4.13.19: run deno install",
  ]);
});

Deno.test("checkAliases() finds a package that is not pinned", async () => {
  const imports = { ...IMPORTS, unused: "npm:other@^1.0.0", "from-jsr": "jsr:@std/a@1.0.0" };
  assertEquals(await problemsOf({ "deno.json": JSON.stringify({ imports }) }), [
    'deno.json maps "unused" to npm:other@^1.0.0, which is no npm package at one version',
    'deno.json maps "from-jsr" to jsr:@std/a@1.0.0, which is no npm package at one version',
  ]);
});

Deno.test("checkAliases() fails when the worker is not there", async () => {
  assertEquals(await problemsOf({ "wrangler.toml": 'main = "edge/other.ts"\n' }), [
    "wrangler.toml's main, edge/other.ts, is not there",
  ]);
});

Deno.test("parseTarget() reads names with and without scope, path and leading slash", () => {
  assertEquals(parseTarget("npm:hono@4.13.19"), { name: "hono", version: "4.13.19", path: "" });
  assertEquals(parseTarget("npm:/@a/b@1.2.3-pre.4/c/"), { name: "@a/b", version: "1.2.3-pre.4", path: "c/" });
  for (const target of ["npm:hono", "npm:hono@4", "npm:hono@latest", "jsr:@a/b@1.2.3", "./a.ts"]) {
    assertEquals(parseTarget(target), undefined, target);
  }
});

Deno.test("lookUp() prefers the exact key, then the longest prefix", () => {
  const imports = { a: "npm:a@1.0.0", "a/b": "npm:b@1.0.0", "a/": "npm:/c@1.0.0/" };
  assertEquals(lookUp("a", imports), { target: "npm:a@1.0.0", rest: "" });
  assertEquals(lookUp("a/b", imports), { target: "npm:b@1.0.0", rest: "" });
  assertEquals(lookUp("a/b/c", imports), { target: "npm:b@1.0.0", rest: "/c" });
  assertEquals(lookUp("a/x", imports), { target: "npm:/c@1.0.0/", rest: "x" });
  assertEquals(lookUp("ab", imports), undefined);
});

Deno.test("neededAliases() names only what resolves to something else by name", () => {
  assertEquals(
    neededAliases(["hono", "hono/cors", "@libsql/client/web", "@std/toml/parse", "@std/crypto/a.js"], IMPORTS),
    {
      "@std/toml/parse": "deno-std/toml/parse.js",
      "@std/crypto/a.js": "deno-std/crypto/a.js",
    },
  );
});

Deno.test("packagesLoadedBy() follows cycles to their end and leaves types out", () => {
  const at = { line: 1, kind: "import" } as const;
  const facts = [
    { ...at, path: "edge/a.ts", specifier: "../shared/b.ts", how: "dynamic" },
    { ...at, path: "shared/b.ts", specifier: "../edge/a.ts", how: "static" },
    { ...at, path: "shared/b.ts", specifier: "hono", how: "static" },
    { ...at, path: "shared/b.ts", specifier: "typed", how: "type" },
    { ...at, path: "shared/c.ts", specifier: "elsewhere", how: "static" },
  ] as const;
  assertEquals(packagesLoadedBy("edge/a.ts", facts), ["hono"]);
});

Deno.test("compareAliases() finds nothing when both are equal", () => {
  assertEquals(compareAliases({ a: "b" }, { a: "b" }), []);
});

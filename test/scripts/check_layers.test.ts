import { checkLayers } from "../../scripts/check_layers.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals } from "../assert.ts";
import { withTempTree } from "../tools/temp_tree.ts";

const IMPORTS = {
  hono: "npm:hono@4.13.19",
  "@std/crypto/": "npm:/deno-std@1.4.0/crypto/",
  libsql: "npm:libsql@0.5.29",
  "@peculiar/webcrypto": "npm:@peculiar/webcrypto@1.7.2",
  "fast-check": "npm:fast-check@4.10.2",
};

/** The violations of a tree that consists of these files, as `path:line: message`. */
function violationsOf(files: Record<string, string>): Promise<string[]> {
  const tree = { "deno.json": JSON.stringify({ imports: IMPORTS }), ...files };
  return withTempTree(tree, async (root) => {
    const violations = await checkLayers(root);
    return violations.map(({ path, line, message }) => `${path}:${line}: ${message}`).sort();
  });
}

/** In two pieces, so that it does not count as such a comment here. */
const IGNORE = "deno-lint" + "-ignore";

/** One file, and the words its single violation must contain. */
const BROKEN: readonly { name: string; path: string; source: string; expected: string }[] = [
  { name: "shared/ imports node:", path: "shared/a.ts", source: `import "node:fs";`, expected: "imports node:fs" },
  {
    name: "shared/ imports only a type of node:",
    path: "shared/a.ts",
    source: `import type { Hash } from "node:crypto"; export type H = Hash;`,
    expected: "imports node:crypto",
  },
  {
    name: "shared/ imports cloudflare: dynamically",
    path: "shared/a.ts",
    source: `await import("cloudflare:workers");`,
    expected: "imports cloudflare:workers",
  },
  { name: "shared/ imports bun:", path: "shared/a.ts", source: `export * from "bun:sqlite";`, expected: "bun:sqlite" },
  {
    name: "shared/ names a type by import()",
    path: "shared/a.ts",
    source: `export type S = import("node:http").Server;`,
    expected: "imports node:http",
  },
  { name: "shared/ uses Deno", path: "shared/a.ts", source: `Deno.exit();`, expected: "uses Deno" },
  {
    name: "shared/ uses a type of Deno's",
    path: "shared/a.ts",
    source: `export type K = Deno.Conn;`,
    expected: "uses Deno",
  },
  { name: "shared/ uses process", path: "shared/a.ts", source: `process.exit();`, expected: "uses process" },
  { name: "shared/ asks for process", path: "shared/a.ts", source: `typeof process;`, expected: "uses process" },
  {
    name: "shared/ reaches for globalThis.Deno",
    path: "shared/a.ts",
    source: `globalThis.Deno;`,
    expected: "uses Deno",
  },
  {
    name: "shared/ reaches for process behind a type",
    path: "shared/a.ts",
    source: `(globalThis as { process?: unknown }).process;`,
    expected: "uses process",
  },
  {
    name: "shared/ reaches for globalThis['process']",
    path: "shared/a.ts",
    source: `globalThis["process"];`,
    expected: "uses process",
  },
  {
    name: "shared/ abbreviates { process }",
    path: "shared/a.ts",
    source: `export const o = { process };`,
    expected: "uses process",
  },
  { name: "shared/ uses Buffer", path: "shared/a.ts", source: `Buffer.from("");`, expected: "uses Buffer" },
  { name: "shared/ uses require", path: "shared/a.ts", source: `require("x");`, expected: "uses require" },
  {
    name: "shared/crypto/native.ts uses more than process",
    path: "shared/crypto/native.ts",
    source: `Deno.exit();`,
    expected: "uses Deno",
  },
  { name: "edge/ uses Deno outside of its hosts", path: "edge/app.ts", source: `Deno.exit();`, expected: "uses Deno" },
  {
    name: "edge/ imports manager/",
    path: "edge/a.ts",
    source: `import "../manager/b.ts";`,
    expected: "edge/ imports manager/b.ts",
  },
  {
    name: "manager/ imports edge/",
    path: "manager/x/a.ts",
    source: `import "../../edge/b.ts";`,
    expected: "manager/ imports edge/b.ts",
  },
  {
    name: "manager/ imports a type from edge/",
    path: "manager/a.ts",
    source: `import type { B } from "../edge/b.ts"; export type C = B;`,
    expected: "manager/ imports edge/b.ts",
  },
  {
    name: "shared/ imports edge/",
    path: "shared/a.ts",
    source: `import "../edge/b.ts";`,
    expected: "shared/ imports edge/b.ts",
  },
  {
    name: "shared/ imports manager/",
    path: "shared/a.ts",
    source: `export * from "../manager/b.ts";`,
    expected: "shared/ imports manager/b.ts",
  },
  {
    name: "a lower folder of shared/ imports a higher one",
    path: "shared/bytes/a.ts",
    source: `import "../protocol/b.ts";`,
    expected: "shared/bytes imports shared/protocol/b.ts, which is above it",
  },
  {
    name: "a lower folder of the client imports a higher one",
    path: "shared/client/memory/a.ts",
    source: `import "../submit/b.ts";`,
    expected: "shared/client/memory imports shared/client/submit/b.ts, which is above it",
  },
  {
    name: "a file right in shared/ imports from a folder",
    path: "shared/errors.ts",
    source: `import type { B } from "./bytes/b.ts"; export type C = B;`,
    expected: "imports shared/bytes/b.ts, which is above it",
  },
  {
    name: "shared/ imports test/",
    path: "shared/a.ts",
    source: `import "../test/b.ts";`,
    expected: "shared/ imports test/b.ts",
  },
  {
    name: "shared/ imports scripts/",
    path: "shared/a.ts",
    source: `import "../scripts/b.ts";`,
    expected: "shared/ imports scripts/b.ts",
  },
  {
    name: "edge/ imports test/",
    path: "edge/a.ts",
    source: `import "../test/b.ts";`,
    expected: "edge/ imports test/b.ts",
  },
  {
    name: "manager/ imports bench/",
    path: "manager/a.ts",
    source: `import "../bench/b.ts";`,
    expected: "manager/ imports bench/b.ts",
  },
  {
    name: "scripts/ imports test/",
    path: "scripts/a.ts",
    source: `import "../test/b.ts";`,
    expected: "scripts/ imports test/b.ts",
  },
  {
    name: "a file imports from outside of the project",
    path: "edge/a.ts",
    source: `import "../../edge/b.ts";`,
    expected: "outside of the project",
  },
  {
    name: "a package is not listed",
    path: "edge/a.ts",
    source: `import "left-pad";`,
    expected: "left-pad, which is not in deno.json",
  },
  {
    name: "a listed name only begins like another",
    path: "edge/a.ts",
    source: `import "hono-extra";`,
    expected: "hono-extra, which is not in deno.json",
  },
  {
    name: "a package is named past deno.json",
    path: "test/a.ts",
    source: `import "npm:left-pad@1";`,
    expected: "list the package in deno.json",
  },
  {
    name: "a URL is imported",
    path: "test/a.ts",
    source: `import "https://example.org/a.ts";`,
    expected: "list the package in deno.json",
  },
  {
    name: "libsql is imported elsewhere",
    path: "shared/database/remote.ts",
    source: `import "libsql";`,
    expected: "belongs to shared/database/native.ts alone",
  },
  {
    name: "libsql is imported by the manager",
    path: "manager/a.ts",
    source: `import "libsql";`,
    expected: "belongs to shared/database/native.ts alone",
  },
  {
    name: "@peculiar/webcrypto is imported by shared/",
    path: "shared/a.ts",
    source: `await import("@peculiar/webcrypto");`,
    expected: "belongs to manager/ alone",
  },
  {
    name: "@peculiar/webcrypto is loaded at once",
    path: "manager/a.ts",
    source: `import "@peculiar/webcrypto";`,
    expected: "load it with import() where it is needed",
  },
  {
    name: "fast-check is imported by production code",
    path: "manager/a.ts",
    source: `import "fast-check";`,
    expected: "belongs to tests alone",
  },
  {
    name: "an import is computed",
    path: "manager/a.ts",
    source: `const x = "hono"; await import(x);`,
    expected: "imports something computed",
  },
  {
    name: "a comment hides everything",
    path: "manager/a.ts",
    source: `// ${IGNORE}-file\nexport {};`,
    expected: "must name the rules",
  },
  {
    name: "a comment hides this check",
    path: "shared/a.ts",
    source: `// ${IGNORE} postern/facts\nexport const x = 1;`,
    expected: "must name the rules",
  },
];

/** All of them in one tree, since each run of the parser is a process: a path that several have gets a number. */
const PLACED = BROKEN.map((one, index) => {
  const isFirst = BROKEN.findIndex(({ path }) => path === one.path) === index;
  return isFirst ? one : { ...one, path: one.path.replace(/(\.\w+)$/, `_${index}$1`) };
});
let found: Promise<string[]> | undefined;

for (const { name, path, expected } of PLACED) {
  Deno.test(`checkLayers() finds the violation when ${name}`, async () => {
    found ??= violationsOf(Object.fromEntries(PLACED.map((one) => [one.path, one.source])));
    const all = await found;
    const violations = all.filter((one) => one.startsWith(`${path}:`));
    assertEquals(violations.length, 1, violations.join("\n"));
    assert(violations[0]?.includes(expected), violations[0]);
    assertEquals(all.length, PLACED.length, "nothing else was found");
  });
}

Deno.test("checkLayers() accepts what each folder may do", async () => {
  const violations = await violationsOf({
    "shared/crypto/native.ts":
      `export const c = globalThis.process?.getBuiltinModule?.("node:crypto"); typeof process;`,
    "shared/database/native.ts": `import Database from "libsql"; export default Database;`,
    "shared/a.ts":
      `import "./errors.ts"; import "@std/crypto/timing_safe_equal.js"; import "hono"; import "hono/cors";`,
    "shared/protocol/a.ts": `import "../bytes/b.ts"; import "../errors.ts"; import "./c.ts";`,
    "shared/new_folder/a.ts": `import "../protocol/a.ts";`,
    "shared/b.ts": `export const o = { process: 1, Deno: 2 }; o.process; class A { require() {} } new A().require();`,
    "edge/hosts/deno.ts": `import "node:process"; import "../../shared/a.ts"; Deno.exit();`,
    "manager/a.ts": `import "node:fs"; import "../shared/a.ts"; await import("@peculiar/webcrypto"); process.exit();`,
    "manager/b.ts": `import type { Crypto } from "@peculiar/webcrypto"; export type C = Crypto;`,
    "scripts/a.ts": `import "../manager/a.ts"; import "../edge/hosts/deno.ts"; import "../shared/a.ts";`,
    "bench/a.ts": `import "libsql"; import "../test/a.ts"; const x = "hono"; await import(x);`,
    "test/a.ts": `import "fast-check"; import "../scripts/a.ts"; import "node:fs";`,
  });
  assertEquals(violations, []);
});

Deno.test("checkLayers() reads code, not text, when imports stand in comments and strings", async () => {
  const source =
    '// import "node:fs";\n/* Deno.exit() */ export const s = "import \'node:fs\'; Deno.exit()" + `process.exit()`;';
  assertEquals(await violationsOf({ "shared/a.ts": source }), []);
});

Deno.test("checkLayers() names the line", async () => {
  assertEquals(await violationsOf({ "shared/a.ts": `\n\nimport "node:fs";` }), [
    "shared/a.ts:3: imports node:fs, but must run anywhere: hand it in from an entry point",
  ]);
});

Deno.test("checkLayers() fails when a file cannot be parsed", async () => {
  const outcome = await violationsOf({ "shared/a.ts": "let x: = 1;" }).catch((error: Error) => error.message);
  assert(typeof outcome === "string" && outcome.startsWith("shared/a.ts: "), String(outcome));
});

Deno.test("check_layers.ts exits with 1 and names the violation on standard error", async () => {
  const files = { "deno.json": "{}", "shared/a.ts": `import "node:fs";` };
  await withTempTree(files, async (root) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${PROJECT_ROOT}/scripts/check_layers.ts`, root],
    }).output();
    assertEquals(code, 1);
    assert(new TextDecoder().decode(stderr).includes("shared/a.ts:1: imports node:fs"));
  });
});

import { layOut, readLock } from "../../../scripts/publisher/build/layout.ts";
import { defaultsOf, vendored } from "../../../scripts/publisher/build/vendor.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

function lockOf(npm: Record<string, Record<string, unknown>>, specifiers: Record<string, string>) {
  const packages = Object.entries(npm).map(([key, entry]) => [key, { integrity: `sha512-${key}`, ...entry }]);
  return readLock(JSON.stringify({ version: "5", specifiers, npm: Object.fromEntries(packages), workspace: {} }));
}

const LOCK = lockOf({
  "a@1.0.0": { dependencies: ["shared@2.0.0", "@s/deep"] },
  "b@1.0.0": { dependencies: ["shared@1.0.0"] },
  "shared@1.0.0": {},
  "shared@2.0.0": {},
  "@s/deep@1.0.0_shared@2.0.0": { dependencies: ["shared@1.0.0", "native"] },
  "native@3.0.0": { optionalDependencies: ["native-x64", "native-arm64", "native-x64-musl", "native-mac"] },
  "native-x64@3.0.0": { os: ["linux"], cpu: ["x64"] },
  "native-arm64@3.0.0": { os: ["linux"], cpu: ["arm64"] },
  "native-x64-musl@3.0.0": { os: ["linux"], cpu: ["x64"] },
  "native-mac@3.0.0": { os: ["darwin"] },
}, { "npm:a@1": "1.0.0", "npm:b@1.0.0": "1.0.0", "npm:gone@1.0.0": "1.0.0" });

function paths(targets: string[], arch: "x64" | "arm64" = "x64"): string[] {
  return layOut(LOCK, targets, arch).map(({ path, version }) => `${path}@${version}`);
}

Deno.test("layOut() lays each package where Node finds it, another version inside of the one that needs it", () => {
  assertEquals(paths(["npm:a@1", "npm:/b@1.0.0/x.js"]), [
    "node_modules/@s/deep@1.0.0",
    "node_modules/@s/deep/node_modules/shared@1.0.0",
    "node_modules/a@1.0.0",
    "node_modules/b@1.0.0",
    "node_modules/b/node_modules/shared@1.0.0",
    "node_modules/native@3.0.0",
    "node_modules/native-x64@3.0.0",
    "node_modules/shared@2.0.0",
  ]);
  assertEquals(paths(["npm:b@1.0.0"]), ["node_modules/b@1.0.0", "node_modules/shared@1.0.0"]);
});

Deno.test("layOut() takes what is for the processor, and glibc", () => {
  const natives = (arch: "x64" | "arm64") => paths(["npm:a@1"], arch).filter((path) => path.includes("native-"));
  assertEquals([natives("x64"), natives("arm64")], [["node_modules/native-x64@3.0.0"], [
    "node_modules/native-arm64@3.0.0",
  ]]);
  const [deep] = layOut(LOCK, ["npm:a@1"], "x64");
  assertEquals([deep?.version, deep?.integrity], ["1.0.0", "sha512-@s/deep@1.0.0_shared@2.0.0"]);
});

Deno.test("layOut() refuses what the lock file does not have", () => {
  assertThrows(() => layOut(LOCK, ["npm:other@1"], "x64"), "configuration");
  assertThrows(() => layOut(LOCK, ["npm:gone@1.0.0"], "x64"), "configuration");
  assertThrows(() => readLock('{"version":"4"}'), "malformed");
});

Deno.test("vendored() names a file for each import, and defaultsOf() finds whose default is taken", () => {
  const files = vendored({ packages: ["@s/a/b.js", "c", "libsql", "c"] });
  assertEquals([...files], [["@s/a/b.js", "_s_a_b.js"], ["c", "c.js"]]);
  const source =
    'import { x } from "a";\nimport B from "b";\nimport C, { type D } from "c";\nimport * as v from "d";\n';
  assertEquals(defaultsOf(source), ["b", "c"]);
});

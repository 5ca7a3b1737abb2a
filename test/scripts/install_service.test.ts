import { neededImports, readModuleGraph } from "../../scripts/service/module_graph.ts";
import { readOptions } from "../../scripts/service/options.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { planInstall } from "../../scripts/service/plan.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const SOURCES = {
  ...{ runtime: "/bin/deno", projectRoot: "/project", compilerOptions: {}, imports: {} },
  graph: { files: ["manager/cli/main.ts"], packages: [] },
  units: {
    "postern.service":
      "User=postern\nGroup=postern\nStateDirectory=postern\nExecStart=/opt/postern/bin/deno /var/lib/postern\n",
  },
};

function written(args: string[], end: string): string {
  const step = planInstall(readOptions(args), SOURCES).find((one) => one.kind === "write" && one.path.endsWith(end));
  return step?.kind === "write" ? step.content : "";
}

Deno.test("readOptions() takes paths and names that need no quoting, and nothing else", () => {
  assertEquals(readOptions([]).prefix, "/opt/postern");
  assertEquals(readOptions(["--data=/srv/p", "--user", "mail_1"]).data, "/srv/p");
  for (
    const args of [
      ["--data", "rel"],
      ["--data", "/a b"],
      ["--prefix", "/a;rm"],
      ["--user", "root"],
      ["--user", "A b"],
      ["--user"],
      ["--other"],
    ]
  ) {
    assertThrows(() => readOptions(args), "usage");
  }
});

Deno.test("planInstall() writes the chosen places into units and wrapper", () => {
  const unit = written(["--prefix", "/p", "--data", "/srv/d", "--user", "u"], "postern.service");
  assertEquals(unit, "User=u\nGroup=u\nReadWritePaths=/srv/d\nExecStart=/p/bin/deno /srv/d\n");
  assert(written(["--data", "/var/lib/mine"], "postern.service").includes("StateDirectory=mine\n"));
  const wrapper = written(["--prefix", "/p", "--data", "/srv/d", "--user", "u"], "bin/postern");
  assert(wrapper.includes("as_user=u\n") && wrapper.includes("/p/bin/deno") && wrapper.includes("/srv/d"));
  assert(!/postern\/(bin|app|cache)/.test(wrapper));
});

Deno.test("planInstall() with --self-update starts the release that was switched to, and lets the manager write there alone", async () => {
  const units = {
    "postern.service": await Deno.readTextFile(`${PROJECT_ROOT}/manager/service/systemd/postern.service`),
  };
  const steps = planInstall(readOptions(["--self-update", "--prefix", "/p"]), { ...SOURCES, units });
  const text = (path: string) =>
    steps.flatMap((step) => step.kind === "write" && step.path === path ? [step.content] : [])[0] ?? "";
  const unit = text("/etc/systemd/system/postern.service");
  assert(unit.includes("\nReadWritePaths=/p/releases\nExecStart=/p/bin/postern-service run\n"), unit);
  const script = text("/p/bin/postern-service");
  assert(/ --allow-write .* --allow-run \S+\/manager\/cli\/main\.ts "\$@"\n$/.test(script), script);
  for (const one of [script, text("/usr/local/bin/postern")]) {
    assert(one.includes("current=/p/releases/current/bin/postern\n"), one);
  }
  assertEquals(steps.find((step) => step.kind === "folder" && step.path === "/p/releases"), {
    ...{ kind: "folder", path: "/p/releases", mode: 0o755, owner: "postern" },
  });
});

Deno.test("planInstall() makes no user and sets no owner below another root", () => {
  const steps = planInstall(readOptions(["--root", "/stage"]), SOURCES);
  assert(steps.every(({ kind }) => kind !== "user"));
  assert(steps.every((step) => !("path" in step) || step.path.startsWith("/stage/")));
});

Deno.test("readModuleGraph() and neededImports() keep what the program imports", () => {
  const info = {
    modules: [
      {
        specifier: "file:///p/a.ts",
        dependencies: [{ specifier: "./b.ts" }, { specifier: "x/y.js" }, { specifier: "node:fs" }],
      },
      { specifier: "file:///p/b.ts" },
      { specifier: "npm:/x@1/y.js" },
      { specifier: "file:///p/node_modules/x/y.js" },
    ],
  };
  const graph = readModuleGraph(JSON.stringify(info), "/p");
  assertEquals(graph, { files: ["a.ts", "b.ts"], packages: ["x/y.js"] });
  assertEquals(neededImports({ "x/": "npm:/x@1/", y: "npm:y@1" }, graph.packages), { "x/": "npm:/x@1/" });
  assertThrows(() => neededImports({ y: "npm:y@1" }, graph.packages), "configuration");
  assertThrows(() => readModuleGraph("[]", "/p"), "malformed");
});

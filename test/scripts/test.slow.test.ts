import { PROJECT_ROOT } from "../../scripts/files.ts";
import { add, closingLine, isGood, NONE, readCounts } from "../../scripts/suite/counts.ts";
import { sweepScratchFolders, withScratchFolder } from "../../scripts/suite/scratch.ts";
import { assert, assertEquals } from "../assert.ts";
import { withTempTree } from "../tools/temp_tree.ts";

const PASSES = 'Deno.test("p", () => {});\n';
const FAILS = 'Deno.test("f", () => { throw new Error("9 passed, 0 failed"); });\n';
const IGNORED = 'Deno.test.ignore("i", () => {});\n';

/** Runs scripts/test.ts as `deno task test` does, on a tree with these files. */
function run(files: Record<string, string>, ...args: string[]): Promise<{ code: number; last: string; all: string }> {
  return withTempTree({ "deno.json": "{}", ...files }, async (root) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${PROJECT_ROOT}/scripts/test.ts`, "--no-check", `--root=${root}`, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    return { code, last: text.trimEnd().split("\n").at(-1) ?? "", all: text + new TextDecoder().decode(stderr) };
  });
}

Deno.test("test.ts counts passed, failed and skipped over fast and slow files, and exits with 1", async () => {
  const files = { "test/a.test.ts": PASSES + PASSES + IGNORED, "test/b/c.slow.test.ts": PASSES + FAILS };
  const { code, last } = await run(files);
  assertEquals({ code, last }, { code: 1, last: "3 passed, 1 failed, 1 skipped" });
});

Deno.test("test.ts exits with 0 when all pass, and leaves out slow files with --fast", async () => {
  const { code, last } = await run({ "test/a.test.ts": PASSES, "test/b.slow.test.ts": FAILS }, "--fast");
  assertEquals({ code, last }, { code: 0, last: "1 passed, 0 failed, 0 skipped" });
});

Deno.test("test.ts runs the files and folders that are named, and no others", async () => {
  const files = { "test/a/x.test.ts": PASSES, "test/ab/y.test.ts": FAILS, "test/c.test.ts": PASSES + PASSES };
  assertEquals((await run(files, "test/a")).last, "1 passed, 0 failed, 0 skipped");
  assertEquals((await run(files, "./test/a/", "test/c.test.ts")).last, "3 passed, 0 failed, 0 skipped");
});

Deno.test("test.ts exits with 1 when no test ran", async () => {
  for (const files of [{}, { "test/a.test.ts": "" }, { "test/a.test.ts": IGNORED }]) {
    const { code, last } = await run(files);
    assertEquals({ code, last: last.slice(0, 18) }, { code: 1, last: "0 passed, 0 failed" });
  }
  assertEquals((await run({ "test/a.test.ts": PASSES }, "test/misspelt")).code, 1);
});

Deno.test("test.ts counts a failure when a module does not load", async () => {
  const missing = await run({ "test/a.test.ts": 'import "./nowhere.ts";' });
  assertEquals({ code: missing.code, last: missing.last }, { code: 1, last: "0 passed, 1 failed, 0 skipped" });
  const throwing = await run({ "test/a.test.ts": 'throw new Error("early");', "test/b.test.ts": PASSES });
  assertEquals({ code: throwing.code, last: throwing.last }, { code: 1, last: "1 passed, 1 failed, 0 skipped" });
});

Deno.test("test.ts says at its end what tests missed, each thing once", async () => {
  const says =
    `Deno.writeTextFileSync(Deno.env.get("POSTERN_SKIPPED_LIST") ?? "", "SKIPPED: x\\n", { append: true });\n`;
  const { all } = await run({ "test/a.test.ts": says + PASSES, "test/b.slow.test.ts": says + IGNORED });
  assertEquals(all.split("\n").filter((line) => line === "SKIPPED: x").length, 1, all);
});

Deno.test("test.ts runs every test once when many files share threads", async () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`test/a/${i}.test.ts`, PASSES + PASSES]));
  const good = await run(many, "--brief");
  assertEquals({ code: good.code, last: good.last }, { code: 0, last: "80 passed, 0 failed, 0 skipped" });
  const broken = await run({ ...many, "test/b.test.ts": FAILS, "test/c.test.ts": 'import "./nowhere.ts";' }, "--brief");
  assertEquals(broken.code, 1);
  assert(broken.all.includes("test/c.test.ts") && broken.all.includes("nowhere.ts"), broken.all);
});

Deno.test("withScratchFolder() gives a folder where tests may write and run programs, and removes it", async () => {
  const used: string[] = [];
  await withScratchFolder(async (folder) => {
    used.push(folder);
    await Deno.writeTextFile(`${folder}/program`, "#!/bin/sh\n", { mode: 0o700 });
    assert((await new Deno.Command(`${folder}/program`).output()).success);
  });
  const [folder = ""] = used;
  const found = await Deno.stat(folder).catch((error) => error instanceof Deno.errors.NotFound ? null : error);
  assertEquals(found, null);
});

Deno.test("test.ts with --brief shows a failure in full", async () => {
  const { all } = await run({ "test/a.test.ts": PASSES + FAILS }, "--brief");
  assert(all.includes("Error: 9 passed, 0 failed"), all);
});

Deno.test("readCounts() takes the last closing line, whatever its colours", () => {
  const line =
    "\u001b[32mok\u001b[0m | 7 passed (3 steps) | 0 failed | 2 ignored | 1 filtered out \u001b[2m(3s)\u001b[0m";
  const output = `ok | 1 passed | 0 failed (1ms)\n${line}\n\n`;
  assertEquals(readCounts(output, true), { passed: 7, failed: 0, skipped: 2 });
});

Deno.test("readCounts() never reports success for a run that failed", () => {
  assertEquals(readCounts("", false), { passed: 0, failed: 1, skipped: 0 });
  assertEquals(readCounts("ok | 3 passed | 0 failed (1s)", false), { passed: 3, failed: 1, skipped: 0 });
  assertEquals(readCounts("FAILED | 3 passed | 2 failed (1 step) (1s)", false), { passed: 3, failed: 2, skipped: 0 });
});

Deno.test("isGood() wants something to have passed and nothing to have failed", () => {
  const passed = { passed: 1, failed: 0, skipped: 5 };
  assertEquals([isGood(NONE), isGood(passed), isGood({ ...passed, failed: 1 })], [false, true, false]);
  assertEquals(closingLine(add(passed, { passed: 2, failed: 3, skipped: 0 })), "3 passed, 3 failed, 5 skipped");
});

Deno.test("sweepScratchFolders() removes the folders of runs that are gone, and no others", async () => {
  await withTempTree({}, async (parent) => {
    for (const name of ["postern-tests-dead", "postern-tests-alive", "postern-tests-new", "other"]) {
      await Deno.mkdir(`${parent}/${name}`);
      if (name !== "postern-tests-new") await Deno.writeTextFile(`${parent}/${name}/alive`, "");
    }
    using file = await Deno.open(`${parent}/postern-tests-alive/alive`, { write: true });
    await file.lock(true);
    assertEquals(await sweepScratchFolders(parent), [`${parent}/postern-tests-dead`]);
    assertEquals([...Deno.readDirSync(parent)].map(({ name }) => name).sort(), [
      ...["other", "postern-tests-alive", "postern-tests-new"],
    ]);
  });
});

Deno.test("withScratchFolder() holds its lock as long as it runs", async () => {
  await withScratchFolder(async (folder) => {
    using file = await Deno.open(`${folder}/alive`, { write: true });
    assertEquals(await file.tryLock(true), false);
  });
});

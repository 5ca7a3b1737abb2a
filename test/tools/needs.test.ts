import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals } from "../assert.ts";
import { needing, needs } from "./needs.ts";

const MISSING = [{ what: "hammer", remedy: "buy one" }];

/** Surroundings that keep what happens. */
function watch(isCi: boolean) {
  const lines: string[] = [];
  const tests: Deno.TestDefinition[] = [];
  const surroundings = {
    isCi,
    announce: (line: string) => void lines.push(line),
    register: (test: Deno.TestDefinition) => void tests.push(test),
  };
  return { lines, tests, surroundings };
}

Deno.test("needing() registers the test to run when nothing is missing", () => {
  const { lines, tests, surroundings } = watch(true);
  const run = () => {};
  const needed = needing([], surroundings);
  needed.test("nails", run);
  assertEquals({ lines, tests, isPresent: needed.isPresent }, {
    lines: [],
    tests: [{ name: "nails", fn: run }],
    isPresent: true,
  });
});

Deno.test("needing() says what is missing and ignores the test outside of CI", () => {
  const { lines, tests, surroundings } = watch(false);
  const needed = needing(MISSING, surroundings);
  needed.test("nails", () => {});
  assertEquals(lines, ["SKIPPED: hammer is missing (buy one)"]);
  assertEquals([tests[0]?.ignore, needed.isPresent], [true, false]);
});

Deno.test("needing() fails the test in CI when something is missing", () => {
  const { tests, surroundings } = watch(true);
  needing(MISSING, surroundings).test("nails", () => {});
  const test = tests[0];
  assertEquals(test?.ignore, false);
  let message = "";
  try {
    test?.fn({} as Deno.TestContext);
  } catch (error) {
    message = String(error);
  }
  assert(message.includes("hammer is missing (buy one), and in CI everything must run"), message);
});

Deno.test("needs() finds nothing missing when nothing is needed", () => {
  assertEquals(needs().isPresent, true);
});

Deno.test("no test leaves itself out quietly: what it lacks is told by needs()", async () => {
  // These read /proc; and these write such tests into a tree of their own.
  const allowed = ["test/bench/processes.test.ts", "test/scripts/", "test/tools/needs"];
  const quiet: string[] = [];
  for (const path of listFiles(PROJECT_ROOT, ["test"], /\.ts$/)) {
    if (allowed.some((one) => path.startsWith(one))) continue;
    const text = await Deno.readTextFile(`${PROJECT_ROOT}/${path}`);
    if (/\bDeno\.test\.ignore\b|\bignore\s*[:,}](?!.*=>)/.test(text)) quiet.push(path);
  }
  assertEquals(quiet, []);
});

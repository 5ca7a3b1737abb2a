/**
 * Runs the tests and closes with one plain line of counts.
 *
 *   deno task test              everything: fast files side by side, then slow ones
 *   deno task test --fast       without the slow ones
 *   deno task test PATH...      these files or folders
 *
 * Also: `--brief` (one character a test, failures in full), `--no-check` (types were checked already), `--root=DIR`.
 *
 * A file whose name ends in `.slow.test.ts` is slow: it starts servers or browsers, or takes more than a few seconds. Many
 * files share a thread, of which as many run at a time as there are processors. Temporary files lie in memory where there
 * is room. A run in which nothing ran fails.
 */
import { listFiles, PROJECT_ROOT } from "./files.ts";
import { add, closingLine, type Counts, isGood, NONE } from "./suite/counts.ts";
import { groupFiles } from "./suite/groups.ts";
import { runBatch } from "./suite/run.ts";
import { withScratchFolder } from "./suite/scratch.ts";

const TEST_FILE = /[._]test\.tsx?$/;
const SLOW_TEST_FILE = /\.slow\.test\.tsx?$/;
const TIMEOUT_MILLIS = 40 * 60_000;

/** What to run. */
export type TestRun = {
  readonly root: string;
  /** Files and folders below the root; none means all of `test/`. */
  readonly selected: readonly string[];
  readonly isFastOnly: boolean;
  readonly isBrief: boolean;
  readonly checksTypes: boolean;
};

/** Runs the selected tests, in one or two batches, and returns all counts. */
async function runTests(run: TestRun): Promise<Counts> {
  const { root, isBrief, checksTypes } = run;
  const all = listFiles(root, ["test"], TEST_FILE);
  const wanted = run.selected.map((one) => one.replace(/^\.\//, "").replace(/\/$/, ""));
  const chosen = wanted.length === 0
    ? all
    : all.filter((path) => wanted.some((one) => path === one || path.startsWith(`${one}/`)));
  const fast = chosen.filter((path) => !SLOW_TEST_FILE.test(path));
  const slow = run.isFastOnly ? [] : chosen.filter((path) => SLOW_TEST_FILE.test(path));
  const skippedList = await Deno.makeTempFile({ prefix: "postern-skipped-" });
  const batch = { root, isBrief, checksTypes, timeoutMillis: TIMEOUT_MILLIS, skippedList };
  const counts = await withScratchFolder(async (scratch) => {
    let sum = NONE;
    for (const [kind, files] of [["fast", fast], ["slow", slow]] as const) {
      const paths = await groupFiles(root, kind, files, scratch);
      if (paths.length > 0) sum = add(sum, await runBatch({ ...batch, paths, scratch }));
    }
    return sum;
  });
  printSkipped(await Deno.readTextFile(skippedList));
  await Deno.remove(skippedList);
  return counts;
}

/** Once more at the end, each thing once: a line in the middle of a long run is seen by nobody. */
function printSkipped(list: string): void {
  for (const line of new Set(list.split("\n").filter((one) => one !== ""))) console.log(line);
}

if (import.meta.main) {
  const counts = await runTests({
    root: Deno.args.find((one) => one.startsWith("--root="))?.slice("--root=".length) ?? PROJECT_ROOT,
    selected: Deno.args.filter((one) => !one.startsWith("--")),
    isFastOnly: Deno.args.includes("--fast"),
    isBrief: Deno.args.includes("--brief"),
    checksTypes: !Deno.args.includes("--no-check"),
  });
  if (counts.passed === 0 && counts.failed === 0) console.error("no test ran: that proves nothing, so it fails");
  console.log(closingLine(counts));
  if (!isGood(counts)) Deno.exit(1);
}

/**
 * `deno task test:mutants`: changes the code that verifies in one place after the other, and looks whether a test notices (README.md
 * beside this file).
 *
 *   deno task test:mutants                                  every target
 *   deno task test:mutants shared/merkle shared/client/verify/judge.ts    these
 *   deno task test:mutants --results FILE                   keeps what became of each mutant, and goes on where it was
 *   deno task test:mutants --by test/shared/merkle          with these tests alone: what they end is dead, the others may not be
 *   deno task test:mutants --seconds 3                      for a first look: gives up on a mutant after so much of the tests' time
 *   deno task test:mutants --alone                          tries survivors once more, each in a process of its own
 *
 * Survivors are listed; the last line is one JSON object. Exit code 1 when less than 95 % die, when one survives that survivors.ts
 * does not list, or when one does not that it lists.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { withScratchFolder } from "../../scripts/suite/scratch.ts";
import { Attacker } from "./attack.ts";
import { kept, measure, Order } from "./baseline.ts";
import { copyMutated } from "./copy.ts";
import { account } from "./account.ts";
import { endAll } from "./process.ts";
import { type Fate, keyOf, readDead } from "./results.ts";
import { SURVIVORS } from "./survivors.ts";
import { TARGETS } from "./targets.ts";

const { values, positionals } = parseArgs({
  options: {
    results: { type: "string" },
    by: { type: "string", multiple: true, default: ["test"] },
    seconds: { type: "string", default: "Infinity" },
    alone: { type: "boolean", default: false },
    workers: { type: "string", default: "2" },
  },
  allowPositionals: true,
});
const isBelow = (path: string, places: readonly string[]) =>
  places.some((place) => path === place || path.startsWith(`${place}/`));
const targets = TARGETS.filter(({ path }) => positionals.length === 0 || isBelow(path, positionals));
const testsOf = new Map(targets.map(({ path, tests }) => [path, tests]));
const workers = Number(values.workers);

async function run(scratch: string): Promise<Fate[]> {
  const folder = join(scratch, "copy", "project");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.symlink(join(PROJECT_ROOT, "..", "shared"), join(scratch, "copy", "shared"));
  const mutants = await copyMutated(folder, targets.map(({ path }) => path));
  const dead = await readDead(values.results ?? null);
  const fates = mutants.flatMap((mutant) => dead.get(keyOf(mutant)) ?? []);
  const queue = mutants.filter((mutant) => !dead.has(keyOf(mutant)));
  console.error(`${mutants.length} mutants, ${fates.length} known to be dead; measuring the tests`);

  const places = [...new Set(queue.flatMap(({ path }) => testsOf.get(path) ?? []))];
  const files = listFiles(PROJECT_ROOT, ["test"], /\.test\.ts$/).filter((path) =>
    isBelow(path, places) && isBelow(path, values.by) && (!path.endsWith(".slow.test.ts") || places.includes(path))
  );
  const began = performance.now();
  const measured = () => measure(folder, scratch, files, workers);
  const baseline = values.results === undefined
    ? await measured()
    : await kept(folder, values.results, files, measured);
  console.error(`${baseline.tests.length} tests in ${Math.round((performance.now() - began) / 1000)} s`);
  for (const test of baseline.failing) console.error(`left out, fails without a mutant: ${test}`);

  const order = new Order();
  await Promise.all(Array.from({ length: workers }, async () => {
    const attacker = new Attacker(folder, scratch, baseline, order, {
      triesAlone: values.alone,
      millis: 1000 * Number(values.seconds),
    });
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const { number: _, ...name } = mutant;
        const tests = testsOf.get(mutant.path) ?? [];
        const fate = { ...name, ...await attacker.judge(mutant, (file) => isBelow(file, tests)) };
        fates.push(fate);
        if (values.results !== undefined) {
          await Deno.writeTextFile(values.results, `${JSON.stringify(fate)}\n`, { append: true });
        }
        console.error(`${fates.length}/${mutants.length} ${fate.end} ${fate.path}:${fate.line} ${fate.what}`);
      }
    } finally {
      await attacker.end();
    }
  }));
  return fates;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, endAll);
const { lines, summary, isGood } = account(
  await withScratchFolder(run),
  SURVIVORS.filter(({ path }) => testsOf.has(path)),
);
for (const line of lines) console.log(line);
console.log(JSON.stringify(summary));
Deno.exit(isGood ? 0 : 1);

/**
 * `deno task test:mutants`: changes the code that verifies in one place after the other, and looks whether a test notices.
 *
 *   deno task test:mutants                                  every target, about half an hour
 *   deno task test:mutants shared/merkle/verify_proof.ts    one of them
 *
 * Works in copies of this checkout. The last line is one JSON object; survivors are listed above it. Exit code 1 when less than 95 %
 * die.
 */
import { dirname, join } from "node:path";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { type Mutant, mutantsOf } from "./mutate.ts";
import { type Target, TARGETS } from "./targets.ts";

const WORKERS = 2;
/** Longer than any of the stages takes; a mutant that does not end counts as dead. */
const STAGE_MILLIS = 180_000;
const LEAST_DEAD = 0.95;

interface Job {
  readonly target: Target;
  readonly mutant: Mutant;
}

/** A copy of what the tests need, with the packages of this checkout. */
async function copyProject(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "postern-mutants-" });
  for (
    const path of [
      "deno.json",
      "deno.lock",
      ...listFiles(PROJECT_ROOT, ["shared", "edge", "manager", "test", "scripts"], /./),
    ]
  ) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.copyFile(join(PROJECT_ROOT, path), join(folder, path));
  }
  await Deno.symlink(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Whether all tests of a stage pass. */
async function passes(folder: string, paths: readonly string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", "--fail-fast", "--ignore=**/*.slow.test.ts", ...paths],
    ...{ cwd: folder, stdout: "null", stderr: "null" },
    signal: AbortSignal.timeout(STAGE_MILLIS),
  });
  return (await command.output()).success;
}

async function survives(folder: string, { target, mutant }: Job): Promise<boolean> {
  const file = join(folder, target.path);
  const original = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, mutant.source);
  try {
    for (const stage of target.stages) if (!await passes(folder, stage)) return false;
    return true;
  } finally {
    await Deno.writeTextFile(file, original);
  }
}

const chosen = TARGETS.filter(({ path }) => Deno.args.length === 0 || Deno.args.includes(path));
const jobs: Job[] = [];
for (const target of chosen) {
  for (const mutant of mutantsOf(await Deno.readTextFile(join(PROJECT_ROOT, target.path)))) {
    jobs.push({ target, mutant });
  }
}
const total = jobs.length;
const survivors: string[] = [];
let done = 0;
await Promise.all(Array.from({ length: WORKERS }, async () => {
  const folder = await copyProject();
  try {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { target: { path }, mutant: { line, what } } = job;
      if (await survives(folder, job)) survivors.push(`${path}:${line} ${what}`);
      console.error(`${++done} of ${total}, ${survivors.length} survived; ${path}:${line} ${what}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}));
const dead = total - survivors.length;
for (const survivor of survivors.sort()) console.log(survivor);
console.log(
  JSON.stringify({ mutants: total, dead, survived: survivors.length, share: Number((dead / total).toFixed(3)) }),
);
Deno.exit(total > 0 && dead / total >= LEAST_DEAD ? 0 : 1);

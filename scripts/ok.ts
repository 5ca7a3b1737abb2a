/**
 * Everything that a change must pass, in one command: format, lint, types, layers, spec ids, aliases, fast tests.
 * Every step runs, whatever failed before it; the end lists what failed. `--static` leaves out the tests.
 */
import { PROJECT_ROOT, SOURCE_FOLDERS } from "./files.ts";

/** A step: its name, what it runs, and how to repair what it found. */
type Step = { readonly name: string; readonly args: readonly string[]; readonly remedy: string };

/** Steps that only read: two run at a time. Types take longest, so they come first. */
const STATIC_STEPS: readonly Step[] = [
  { name: "types", args: ["check", "--quiet", ...presentFolders()], remedy: "deno check" },
  { name: "format", args: ["fmt", "--quiet", "--check"], remedy: "deno fmt" },
  { name: "lint", args: ["lint", "--quiet"], remedy: "deno lint" },
  { name: "layers", args: ["run", "-A", "scripts/check_layers.ts"], remedy: "scripts/layers/rules.ts has the rules" },
  {
    name: "spec ids",
    args: ["run", "-A", "scripts/check_spec_ids.ts", "--quiet"],
    remedy: "cite the id in code, name it in a test, or give the reason under 'Not yet built'",
  },
  { name: "aliases", args: ["run", "-A", "scripts/check_aliases.ts"], remedy: "write the alias in wrangler.toml" },
];

const TEST_STEP: Step = {
  name: "fast tests",
  args: ["run", "-A", "scripts/test.ts", "--fast", "--brief", "--no-check"],
  remedy: "deno task test PATH",
};

type Result = { readonly step: Step; readonly isGood: boolean };

function presentFolders(): string[] {
  const present = [...Deno.readDirSync(PROJECT_ROOT)].map((entry) => entry.name);
  return SOURCE_FOLDERS.filter((folder) => present.includes(folder));
}

/** Runs one step and prints its time; what it says is shown in one piece, and only when it fails. */
async function runStep(step: Step): Promise<Result> {
  const started = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...step.args],
    cwd: PROJECT_ROOT,
    env: Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" },
  }).output();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${success ? "ok    " : "FAILED"}  ${step.name.padEnd(10)}  ${seconds.padStart(5)} s`);
  if (!success) console.log(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  return { step, isGood: success };
}

async function runAll(steps: readonly Step[], atATime: number): Promise<Result[]> {
  const waiting = [...steps];
  const results: Result[] = [];
  const work = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) results.push(await runStep(step));
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return results;
}

if (import.meta.main) {
  const results = await runAll(STATIC_STEPS, 2);
  if (!Deno.args.includes("--static")) results.push(await runStep(TEST_STEP));
  const failed = results.filter((one) => !one.isGood);
  for (const { step } of failed) console.log(`failed: ${step.name} (${step.remedy})`);
  if (failed.length > 0) Deno.exit(1);
  console.log("all good");
}

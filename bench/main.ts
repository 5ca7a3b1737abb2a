/**
 * Measures Postern against the targets it was given.
 *
 *   deno task bench [NAME...] [--rounds N] [--seconds S] [--large] [--json]
 *
 * Each bench lets its contestants take turns in one run, prints medians, and writes `bench/results/NAME.md` and `.json`.
 * Close everything else first: ratios survive a busy machine, single figures do not.
 */
import { challenges } from "./challenges.ts";
import { copy } from "./copy.ts";
import { cover } from "./cover.ts";
import { delta } from "./delta.ts";
import { parseArgs } from "./harness/args.ts";
import type { Bench } from "./harness/bench.ts";
import { toText } from "./harness/markdown.ts";
import { hasMissed } from "./harness/report.ts";
import { type BenchResult, runBench, SharedPeer, toJson, writeResult } from "./harness/run_bench.ts";
import { logins } from "./logins.ts";
import { lookups } from "./lookups.ts";
import { manifest } from "./manifest.ts";
import { proofs } from "./proofs.ts";
import { proven } from "./proven.ts";
import { push } from "./push.ts";
import { recipients } from "./recipients.ts";
import { registry } from "./registry.ts";
import { release } from "./release.ts";
import { remote } from "./remote.ts";
import { start } from "./start.ts";

const BENCHES: readonly Bench[] = [
  lookups,
  logins,
  challenges,
  push,
  delta,
  proofs,
  proven,
  copy,
  remote,
  start,
  cover,
  manifest,
  recipients,
  registry,
  release,
];

const USAGE = `deno task bench [NAME...] [--rounds N] [--seconds S] [--large] [--json]

${BENCHES.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`).join("\n")}

  --rounds N    how often the contestants take turns (5; push, proofs, start, manifest, recipients and registry 3, delta and copy 11, remote and cover 1)
  --seconds S   how long each turn is measured (10; remote 60)
  --large       larger stores, too, that take long to build (proven, delta)
  --json        print one object; what goes on is said on standard error`;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, BENCHES.map(({ name }) => name));
  if (typeof args === "string") {
    console.error(`${args}\n\n${USAGE}`);
    return 2;
  }
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  const log = (line: string) => console.error(line);
  const results: BenchResult[] = [];
  const peer = new SharedPeer();
  let failures = 0;
  try {
    for (const bench of BENCHES.filter(({ name }) => args.names.length === 0 || args.names.includes(name))) {
      try {
        const result = await runBench(
          bench,
          { rounds: args.rounds, seconds: args.seconds, large: args.large, log },
          peer,
        );
        await writeResult(result);
        results.push(result);
        if (!args.json) console.log(`\n== ${bench.name} ==\n\n${toText(result.report)}\n`);
      } catch (error) {
        // The other benches are worth having all the same.
        failures++;
        console.error(`\n${bench.name} FAILED:`, error);
      }
    }
  } finally {
    await peer.stop();
  }
  if (args.json) console.log(JSON.stringify(results.map(toJson), null, 2));
  const missed = results.filter(({ report }) => hasMissed(report.targets)).map(({ about }) => about.bench);
  const missedText = missed.length === 0 ? "no target was missed" : `targets missed in: ${missed.join(", ")}`;
  log(failures === 0 ? missedText : `${missedText}; ${failures} benches failed`);
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());

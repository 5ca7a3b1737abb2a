/** Hashing a release of 1 GiB, as it is verified and as it is described, beside the programs that are there for it. */
import type { Bench, BenchContext } from "./harness/bench.ts";
import { runTimed } from "./harness/timed.ts";
import type { BenchReport } from "./harness/report.ts";
import { startScript } from "./harness/scripts.ts";
import { median, ratios } from "./harness/stats.ts";
import { writeRandomFile } from "./release/file.ts";
import type { HashFigures } from "./release/hash.ts";

const BYTES = 2 ** 30;
const MIB = 2 ** 20;

/** Seconds of each, in one round. */
interface Round {
  readonly verified: HashFigures;
  readonly described: HashFigures;
  readonly openssl: number;
  readonly sha256sum: number;
}

async function run(context: BenchContext): Promise<BenchReport> {
  const path = `${await context.folder()}/release.bin`;
  context.log("writing 1 GiB");
  const sha256 = await writeRandomFile(path, BYTES);
  const rounds: Round[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    const verified = await startScript("release/hash.ts", ["verify", path, sha256]).result<HashFigures>();
    const described = await startScript("release/hash.ts", ["describe", path]).result<HashFigures>();
    if (described.sha256 !== sha256) throw new Error(`expected the hash ${sha256}, found ${described.sha256}`);
    const openssl = await runTimed("openssl", ["dgst", "-sha256", path]);
    const sha256sum = await runTimed("sha256sum", [path]);
    rounds.push({ verified, described, openssl: openssl.seconds, sha256sum: sha256sum.seconds });
    const speeds = [verified.seconds, described.seconds, openssl.seconds, sha256sum.seconds].map(mibPerSecond);
    context.log(`round ${round}: ${speeds.join(", ")} MiB/s: verified, described, openssl, sha256sum`);
  }
  const speeds = (by: (round: Round) => number) => rounds.map((round) => BYTES / MIB / by(round));
  const verified = speeds(({ verified }) => verified.seconds);
  const openssl = speeds(({ openssl }) => openssl);
  const peak = (of: "verified" | "described") => Math.max(...rounds.map((round) => round[of].peakMib));
  const row = (name: string, found: readonly number[], mib: number | null) => [
    ...[name, median(found), median(ratios(found, openssl)), mib],
  ];
  return {
    targets: [
      {
        ...{ what: "verifying, MiB/s against openssl dgst -sha256", bound: "at least", wanted: 0.9, unit: "x" },
        found: median(ratios(verified, openssl)),
      },
      { what: "resident at most", bound: "at most", wanted: 150, found: peak("verified"), unit: "MiB" },
    ],
    tables: [{
      title: "A file of 1 GiB",
      columns: ["what", "MiB/s", "against openssl", "resident, MiB"],
      rows: [
        row("Postern, verified as by an instance", verified, peak("verified")),
        row("the same with starting its process", speeds(({ verified }) => verified.processSeconds), null),
        row("Postern, described as by a publisher", speeds(({ described }) => described.seconds), peak("described")),
        row("openssl dgst -sha256", openssl, null),
        row("sha256sum", speeds(({ sha256sum }) => sha256sum), null),
      ],
    }],
    notes: [
      "the file was just written and lies in the memory of the machine, if that has room; each reads it once a round",
      "the programs are measured from their start to their end; Postern's own figure leaves out the start of its runtime, which a release of many files pays once",
    ],
    profiles: [],
  };
}

function mibPerSecond(seconds: number): number {
  return Math.round(BYTES / MIB / seconds);
}

export const release: Bench = {
  name: "release",
  summary: "SHA-256 of a release of 1 GiB as Postern takes it, against openssl dgst and sha256sum; memory.",
  defaults: { rounds: 5, seconds: 10 },
  run,
};

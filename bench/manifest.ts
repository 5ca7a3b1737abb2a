/** Opening the manifest of a release as an instance, step by step, with every kind of signature and of wrap. */
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { BenchReport, Table, Target } from "./harness/report.ts";
import { startScript } from "./harness/scripts.ts";
import { median } from "./harness/stats.ts";
import { CASES, type OpeningFigures } from "./manifest/measure.ts";
import { STEPS } from "./manifest/steps.ts";

const FILES = 100;
const SAMPLES = 500;
const WANTED_MILLIS = 1;
/** What is asked for: the default of fleets, and that of up to 32 instances. */
const JUDGED = ["schema 3, cover", "schema 2, X-Wing"] as const;

/** All rounds of one case. */
type Rounds = readonly OpeningFigures[];

async function run(context: BenchContext): Promise<BenchReport> {
  const rounds: (readonly OpeningFigures[])[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    const figures = await startScript("manifest/measure.ts", [String(FILES), String(SAMPLES)]).result<
      OpeningFigures[]
    >();
    rounds.push(figures);
    const millis = figures.slice(0, JUDGED.length).map((one) => `${one.wrap} ${one.millis.toFixed(2)} ms`);
    context.log(`round ${round}: ${millis.join(", ")}`);
  }
  const cases = CASES.map((_, at) => rounds.flatMap((figures) => figures[at] ?? []));
  return {
    targets: JUDGED.map((wrap) => judge(wrap, cases)),
    tables: [totals(cases), steps(cases)],
    notes: [
      `medians of ${SAMPLES} openings in one process, after as many that do not count; the certificates are read once, as an instance does`,
      "in all: what openManifest() takes with verifyDetached(); the steps are timed apart, with a revocation list",
      "the path is one certificate below the pinned root; the list names ten others",
    ],
    profiles: [],
  };
}

function judge(wrap: typeof JUDGED[number], cases: readonly Rounds[]): Target {
  const rounds = cases.flat().filter((one) => one.keys === "Ed25519" && one.wrap === wrap);
  return {
    ...{ what: `opening a manifest of ${FILES} files, Ed25519, ${wrap}`, bound: "at most", wanted: WANTED_MILLIS },
    ...{ found: median(rounds.map(({ millis }) => millis)), unit: "ms" },
  };
}

function totals(cases: readonly Rounds[]): Table {
  return {
    title: "In all, milliseconds",
    columns: ["keys of the publisher", "wrap", "opening", "with a list", "envelope, bytes", "signature, bytes"],
    rows: cases.map((rounds) => {
      const of = (by: (figures: OpeningFigures) => number) => median(rounds.map(by));
      const sizes = [of(({ envelopeBytes }) => envelopeBytes), of(({ signatureBytes }) => signatureBytes)];
      return [...named(rounds), of(({ millis }) => millis), of(({ millisWithList }) => millisWithList), ...sizes];
    }),
  };
}

function steps(cases: readonly Rounds[]): Table {
  return {
    title: "Step by step, microseconds",
    columns: ["keys of the publisher", "wrap", ...STEPS],
    rows: cases.map((rounds) => [
      ...named(rounds),
      ...STEPS.map((step) => Math.round(1_000 * median(rounds.map((one) => one.steps[step])))),
    ]),
  };
}

function named([first]: Rounds): [string, string] {
  return [first?.keys ?? "", first?.wrap ?? ""];
}

export const manifest: Bench = {
  name: "manifest",
  summary:
    "Opening a manifest of 100 files as an instance, warm: signature, path, revocation list, unwrapping, decryption, validation.",
  defaults: { rounds: 3, seconds: 10 },
  run,
};

/** Proofs of single answers: how large they are and how long a device verifies one, from a thousand to a million rows. */
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { BenchReport, Table, Target } from "./harness/report.ts";
import { startScript } from "./harness/scripts.ts";
import { median, ratios } from "./harness/stats.ts";
import type { ProofFigures, ProofResult } from "./proofs/measure.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const;
/** A thousand times the rows double what grows with their logarithm. */
const LOGARITHMIC = 2.2;
/** Times vary more; with the number of rows, they would be a thousand times as long. */
const LOGARITHMIC_TIME = 3;
const SAMPLES = 4_000;

const KINDS = ["present", "absent"] as const;

/** One result a round, of one size. */
type Rounds = readonly ProofResult[];

async function run(context: BenchContext): Promise<BenchReport> {
  const results = new Map<number, ProofResult[]>(SIZES.map((size) => [size, []]));
  for (let round = 1; round <= context.rounds; round++) {
    for (const size of SIZES) {
      const result = await startScript("proofs/measure.ts", [String(size), String(SAMPLES)]).result<ProofResult>();
      results.get(size)?.push(result);
      const { mostBytes, medianMillis } = result.present;
      const micros = Math.round(1_000 * medianMillis);
      context.log(`round ${round}: ${size.toLocaleString("en-US")} rows: at most ${mostBytes} bytes, ${micros} µs`);
    }
  }
  return {
    targets: judge(results.get(SIZES[0]) ?? [], results.get(SIZES[3]) ?? []),
    tables: KINDS.map((kind) => table(kind, [...results])),
    notes: [
      `${SAMPLES} proofs of each kind and size, each decoded and verified in a process of its own after a warm-up`,
      "bytes are those of the proof as CBOR, beside the row itself",
    ],
    profiles: [],
  };
}

function judge(smallest: Rounds, largest: Rounds): Target[] {
  const both = (result: ProofResult, by: (figures: ProofFigures) => number) =>
    Math.max(...KINDS.map((k) => by(result[k])));
  const most = (by: (figures: ProofFigures) => number) => median(largest.map((result) => both(result, by)));
  const growth = (by: (figures: ProofFigures) => number) => {
    const of = (rounds: Rounds) => rounds.map((result) => both(result, by));
    return median(ratios(of(largest), of(smallest)));
  };
  const at = "at 1,000,000 rows";
  const against = "1,000,000 rows against 1,000";
  return [
    {
      ...{ what: `largest proof ${at}`, bound: "at most", wanted: 2_048, unit: "bytes" },
      found: most(({ mostBytes }) => mostBytes),
    },
    {
      ...{ what: `verifying ${at}, median`, bound: "at most", wanted: 1, unit: "ms" },
      found: most(({ medianMillis }) => medianMillis),
    },
    {
      ...{ what: `verifying ${at}, 99 of 100`, bound: "at most", wanted: 1, unit: "ms" },
      found: most(({ p99Millis }) => p99Millis),
    },
    {
      ...{ what: `bytes of a proof, ${against}`, bound: "at most", wanted: LOGARITHMIC, unit: "x" },
      found: growth(({ medianBytes }) => medianBytes),
    },
    {
      ...{ what: `verifying, ${against}`, bound: "at most", wanted: LOGARITHMIC_TIME, unit: "x" },
      found: growth(({ medianMillis }) => medianMillis),
    },
  ];
}

function table(kind: typeof KINDS[number], results: readonly (readonly [number, Rounds])[]): Table {
  const middle = (rounds: Rounds, by: (figures: ProofFigures) => number) => median(rounds.map((one) => by(one[kind])));
  const bytes = results.map(([, rounds]) => middle(rounds, ({ medianBytes }) => medianBytes));
  return {
    title: kind === "present" ? "A row that is there" : "A list that is empty",
    columns: ["rows", "nodes", "bytes", "most bytes", "bytes a doubling", "µs", "µs, 99 of 100", "µs, slowest"],
    rows: results.map(([size, rounds], index) => [
      size.toLocaleString("en-US"),
      middle(rounds, ({ medianNodes }) => medianNodes),
      bytes[index] ?? null,
      middle(rounds, ({ mostBytes }) => mostBytes),
      // The same at every size: what grows is the logarithm.
      index === 0 ? null : ((bytes[index] ?? NaN) - (bytes[index - 1] ?? NaN)) /
        Math.log2(size / (results[index - 1]?.[0] ?? NaN)),
      1_000 * middle(rounds, ({ medianMillis }) => medianMillis),
      1_000 * middle(rounds, ({ p99Millis }) => p99Millis),
      1_000 * middle(rounds, ({ slowestMillis }) => slowestMillis),
    ]),
  };
}

export const proofs: Bench = {
  name: "proofs",
  summary:
    "Size of a proof and time to verify it, of rows that are there and lists that are empty, up to 1,000,000 rows.",
  defaults: { rounds: 3, seconds: 10 },
  run,
};

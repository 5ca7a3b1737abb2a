/** Tables and targets out of the results of a contest. Pure. */
import type { LoadResult } from "../load/plan.ts";
import type { ContestResults } from "./contest.ts";
import type { Table, Target } from "./report.ts";
import { median, ratios, spread } from "./stats.ts";

/** Medians of every contestant. */
export function loadTable(title: string, results: ContestResults): Table {
  return {
    title,
    columns: [
      ...["contestant", "requests/s", "spread", "p50 ms", "p99 ms", "CPU µs/request", "MiB"],
      ...["generator CPU µs/request", "answers"],
    ],
    rows: [...results].map(([name, runs]) => [
      name,
      median(runs.map(({ perSecond }) => perSecond)),
      `${Math.round(100 * spread(runs.map(({ perSecond }) => perSecond)))} %`,
      median(runs.map(({ p50 }) => p50)),
      median(runs.map(({ p99 }) => p99)),
      median(runs.map(cpuMicros)),
      median(runs.map(({ serverMib }) => serverMib)),
      median(runs.map(({ generatorCpuSeconds, answers }) => generatorCpuSeconds / answers * 1e6)),
      runs.reduce((sum, { answers }) => sum + answers, 0),
    ]),
  };
}

/** Server CPU time of one request, microseconds. */
export function cpuMicros({ serverCpuSeconds, answers }: LoadResult): number {
  return serverCpuSeconds / answers * 1e6;
}

/** A target for the ratio of two contestants, median of the rounds; not measured when one did not take part. */
export function ratioTarget(
  results: ContestResults,
  { what, of, against, bound, wanted, by, unmeasured }: {
    readonly what: string;
    readonly of: string;
    readonly against: string;
    readonly bound: Target["bound"];
    readonly wanted: number;
    readonly by: (run: LoadResult) => number;
    readonly unmeasured?: string | undefined;
  },
): Target {
  const [above, below] = [results.get(of), results.get(against)];
  if (above === undefined || below === undefined) {
    return { what, bound, wanted, found: null, unit: "x", unmeasured: unmeasured ?? `no ${against}` };
  }
  return { what, bound, wanted, found: median(ratios(above.map(by), below.map(by))), unit: "x" };
}

/** What a reader must know about the turns: those that ended before their time. */
export function loadNotes(results: ContestResults): string[] {
  return [...results].flatMap(([name, runs]) => {
    const short = runs.filter(({ isExhausted }) => isExhausted);
    if (short.length === 0) return [];
    const seconds = Math.min(...short.map((run) => run.seconds)).toFixed(1);
    return [
      `${name}: ${short.length} turns ended early because all prepared requests were sent, after ${seconds} s at least`,
    ];
  });
}

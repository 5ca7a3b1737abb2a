/** Lookups with the proof that nothing is missing against the same lookups without, at one edge in one run. */
import { edgeLookups, type EdgeQuestion } from "./contestants/edge_lookups.ts";
import { startBenchEdge } from "./fixtures/bench_edge.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import { answerBytes, type Contestant, type ContestResults, holdContest } from "./harness/contest.ts";
import { loadNotes, loadTable, ratioTarget } from "./harness/load_tables.ts";
import { profileUnderLoad } from "./harness/profile_load.ts";
import { type BenchReport, hasMissed, type Profile, type Table, type Target } from "./harness/report.ts";

const CERTIFICATES = 10_000;
const MANY_CERTIFICATES = 100_000;
const DEVICES = 32;
const CONNECTIONS = 32;
const WANTED = 0.7;

const QUESTIONS: Readonly<Record<string, EdgeQuestion>> = {
  "found": { isProven: false, isAbsent: false },
  "found, proven": { isProven: true, isAbsent: false },
  "absent": { isProven: false, isAbsent: true },
  "absent, proven": { isProven: true, isAbsent: true },
};

async function run(context: BenchContext): Promise<BenchReport> {
  const reports: BenchReport[] = [];
  for (const certificates of context.large ? [CERTIFICATES, MANY_CERTIFICATES] : [CERTIFICATES]) {
    reports.push(await contest(context, certificates));
  }
  return {
    targets: reports.flatMap(({ targets }) => targets),
    tables: reports.flatMap(({ tables }) => tables),
    notes: [...new Set(reports.flatMap(({ notes }) => notes))],
    profiles: reports.flatMap(({ profiles }) => profiles),
  };
}

async function contest(context: BenchContext, certificates: number): Promise<BenchReport> {
  const { rounds, seconds, log } = context;
  const edge = await startBenchEdge(context, { certificates, ed25519: DEVICES, es256: 0 });
  const contestants = new Map<string, Contestant>();
  for (const [name, question] of Object.entries(QUESTIONS)) {
    // Sessions of its own: the numbers of a session's requests may not come again.
    contestants.set(name, edgeLookups(name, edge.server, await edge.lookups(), question));
  }
  const all = [...contestants.values()];
  const options = { rounds, seconds, connections: CONNECTIONS, log };
  const results = await holdContest(all, options);
  const count = certificates.toLocaleString("en-US");
  const targets = ["found", "absent"].map((of) => target(results, of, count));
  const sizes: (readonly [string, number])[] = [];
  for (const contestant of all) sizes.push([contestant.name, await answerBytes(contestant)]);
  const profiles: Profile[] = [];
  const proven = contestants.get("found, proven");
  if (hasMissed(targets) && proven !== undefined) {
    profiles.push(await profileUnderLoad(`the edge proving, ${count} certificates`, edge.server, proven, options));
  }
  return {
    targets,
    tables: [
      loadTable(`Lookups of one certificate out of ${count}, ${CONNECTIONS} connections, one process`, results),
      sizeTable(count, sizes),
    ],
    notes: [...loadNotes(results), "of each turn some answers are opened, and their proofs verified against the root"],
    profiles,
  };
}

function target(results: ContestResults, of: string, certificates: string): Target {
  return ratioTarget(results, {
    ...{ what: `requests/s with proof against without, ${of}, ${certificates} certificates`, of: `${of}, proven` },
    ...{ against: of, bound: "at least", wanted: WANTED, by: ({ perSecond }) => perSecond },
  });
}

function sizeTable(certificates: string, sizes: readonly (readonly [string, number])[]): Table {
  return { title: `Bytes of one such answer out of ${certificates}`, columns: ["lookup", "bytes"], rows: sizes };
}

export const proven: Bench = {
  name: "proven",
  summary: "Lookups with the proof that nothing is missing against the same lookups without it, found and absent.",
  defaults: { rounds: 5, seconds: 10 },
  run,
};

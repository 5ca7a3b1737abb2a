/** Lookups with logins and submissions mixed in, against a real libSQL server, and what coalescing statements is worth there. */
import { start } from "../test/tools/sqld.ts";
import { edgeLookups } from "./contestants/edge_lookups.ts";
import { startBenchEdge, startEdge } from "./fixtures/bench_edge.ts";
import type { BenchDevice } from "./fixtures/owner.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { Contestant } from "./harness/contest.ts";
import { cpuMicros } from "./harness/load_tables.ts";
import { type BenchReport, hasMissed, type Table, type Target } from "./harness/report.ts";
import { median, ratios } from "./harness/stats.ts";
import { profileUnderLoad } from "./harness/profile_load.ts";
import { LIVE_CLIENTS, type MixedResult, PREPARED_CLIENTS, runMixed } from "./remote/mixed_load.ts";
import { freePort } from "./servers/free_port.ts";
import type { Server } from "./servers/spawn.ts";

const CERTIFICATES = 10_000;
/** A device has at most four streams of submissions, and each round starts one. */
const MAX_ROUNDS = 4;
/** Latency grows when the median of the last third is above this times that of the first. */
const GROWS = 1.25;
/** Requests dated ahead stay within the 60 seconds that an edge's clock may differ, for as long as a turn lasts. */
const AHEAD_SECONDS = 30;
const FIRST_SECONDS = 2;
const FIRST_REQUESTS = 20_000;
const MAX_REQUESTS = 400_000;
const RESERVE = 1.5;

/** An edge, how it speaks to its database, and its own real clients. */
interface Way {
  readonly name: string;
  readonly server: Server;
  readonly contestant: Contestant;
  readonly devices: readonly BenchDevice[];
  readonly results: MixedResult[];
}

async function run(context: BenchContext): Promise<BenchReport> {
  const { seconds } = context;
  const rounds = Math.min(context.rounds, MAX_ROUNDS);
  const { ways, subjects } = await prepare(context);
  const speeds = new Map<string, number>();
  for (const way of ways) {
    const { load } = await runMixed(way.contestant, [], subjects, FIRST_REQUESTS, FIRST_SECONDS);
    speeds.set(way.name, load.perSecond);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const way of round % 2 === 1 ? ways : [...ways].reverse()) {
      const count = Math.min(MAX_REQUESTS, Math.ceil((speeds.get(way.name) ?? 0) * (seconds + 1) * RESERVE));
      const result = await runMixed(way.contestant, way.devices, subjects, count, seconds);
      way.results.push(result);
      context.log(
        `round ${round}: ${way.name}: ${Math.round(result.load.perSecond)}/s, ${errorsOf(result) || "no error"}`,
      );
    }
  }
  const targets = judge(ways);
  const [first] = ways;
  return {
    targets,
    tables: [loadTable(ways), liveTable(ways)],
    notes: notesOf(ways, context.rounds, rounds),
    profiles: first !== undefined && hasMissed(targets)
      ? [await profileUnderLoad(first.name, first.server, first.contestant, { connections: PREPARED_CLIENTS })]
      : [],
  };
}

/** One owner in one database; four edges that share its key, as behind a balancer, each with its way to the database. */
async function prepare(context: BenchContext) {
  const sqld = await start();
  context.atEnd(() => sqld.stop());
  const edge = await startBenchEdge(context, {
    ...{ certificates: CERTIFICATES, ed25519: PREPARED_CLIENTS + 4 * LIVE_CLIENTS, es256: 0, databaseUrl: sqld.url },
  });
  const lookups = await edge.lookups(edge.ed25519.slice(0, PREPARED_CLIENTS));
  const ways: Way[] = [];
  for (const [protocol, url] of [["HTTP", sqld.url], ["WebSocket", sqld.wsUrl]] as const) {
    for (const [how, module] of [["coalesced", "edge.ts"], ["one by one", "edge_uncoalesced.ts"]] as const) {
      const name = `${protocol}, ${how}`;
      const server = await startEdge(edge.owner, url, { POSTERN_LISTEN: `127.0.0.1:${freePort()}` }, module);
      context.atEnd(() => server.stop());
      const from = PREPARED_CLIENTS + LIVE_CLIENTS * ways.length;
      ways.push({
        ...{ name, server, devices: edge.ed25519.slice(from, from + LIVE_CLIENTS), results: [] },
        contestant: edgeLookups(name, server, {
          ...lookups,
          sessions: await freshSessions(),
          aheadSeconds: AHEAD_SECONDS,
        }),
      });
    }
  }
  return { ways, subjects: edge.subjects };

  /** Numbers of requests are counted for each edge by itself. */
  async function freshSessions() {
    return (await edge.lookups(edge.ed25519.slice(0, PREPARED_CLIENTS))).sessions;
  }
}

function judge(ways: readonly Way[]): Target[] {
  const targets: Target[] = [];
  for (const protocol of ["HTTP", "WebSocket"]) {
    const [together, apart] = ["coalesced", "one by one"].map((how) =>
      ways.find(({ name }) => name === `${protocol}, ${how}`)
    );
    if (together === undefined || apart === undefined) continue;
    const speeds = (way: Way) => way.results.map(({ load }) => load.perSecond);
    targets.push(
      { what: `${protocol}: errors`, bound: "at most", wanted: 0, found: errorCount(together), unit: "" },
      {
        ...{
          what: `${protocol}: median latency, last third against the first`,
          bound: "at most",
          wanted: GROWS,
          unit: "x",
        },
        found: median(together.results.map(({ load: { thirds } }) => thirds[2].p50 / thirds[0].p50)),
      },
      {
        ...{ what: `${protocol}: requests/s against one statement at a time`, bound: "at least", wanted: 2, unit: "x" },
        found: median(ratios(speeds(together), speeds(apart))),
      },
    );
  }
  return targets;
}

function errorsOf({ load, live }: MixedResult): string {
  return [...Object.entries(load.errors), ...Object.entries(live.errors)].map(([what, times]) =>
    `${times} times ${what}`
  )
    .join(", ");
}

function errorCount({ results }: Way): number {
  return results.flatMap(({ load, live }) => [...Object.values(load.errors), ...Object.values(live.errors)])
    .reduce((sum, times) => sum + times, 0);
}

function loadTable(ways: readonly Way[]): Table {
  const of = (way: Way, by: (result: MixedResult) => number) => median(way.results.map(by));
  return {
    title: `Lookups from ${PREPARED_CLIENTS} clients beside ${LIVE_CLIENTS} that log in, look up and hand in`,
    columns: [
      "way to the database",
      "lookups/s",
      "p50 ms",
      "p99 ms",
      "p50 first third",
      "last third",
      "CPU µs/request",
      "errors",
    ],
    rows: ways.map((way) => [
      way.name,
      of(way, ({ load }) => load.perSecond),
      of(way, ({ load }) => load.p50),
      of(way, ({ load }) => load.p99),
      of(way, ({ load }) => load.thirds[0].p50),
      of(way, ({ load }) => load.thirds[2].p50),
      of(way, ({ load }) => cpuMicros(load)),
      errorCount(way),
    ]),
  };
}

function liveTable(ways: readonly Way[]): Table {
  const of = (way: Way, by: (result: MixedResult) => number) => median(way.results.map(by));
  return {
    title: "The real clients among them: verified operations in a turn, and their times",
    columns: ["way to the database", "logins", "p99 ms", "lookups", "p99 ms", "submissions", "p99 ms"],
    rows: ways.map((way) => [
      way.name,
      of(way, ({ live }) => live.logins.count),
      of(way, ({ live }) => live.logins.p99),
      of(way, ({ live }) => live.lookups.count),
      of(way, ({ live }) => live.lookups.p99),
      of(way, ({ live }) => live.submissions.count),
      of(way, ({ live }) => live.submissions.p99),
    ]),
  };
}

function notesOf(ways: readonly Way[], asked: number, rounds: number): string[] {
  const errors = ways.flatMap(({ name, results }) =>
    results.map(errorsOf).filter(Boolean).map((text) => `${name}: ${text}`)
  );
  const short = ways.filter(({ results }) => results.some(({ load }) => load.isExhausted)).map(({ name }) => name);
  return [
    ...errors,
    ...(short.length === 0 ? [] : [`all prepared requests were sent before the time was over: ${short.join("; ")}`]),
    ...(asked === rounds ? [] : [`${rounds} rounds instead of ${asked}: a device has no more streams of submissions`]),
    "CPU is that of the edge alone; the libSQL server, the load generator and the real clients share the machine with it",
  ];
}

export const remote: Bench = {
  name: "remote",
  summary: "Lookups with logins and submissions mixed in, against sqld over HTTP and WebSocket, 32 concurrent clients.",
  defaults: { rounds: 1, seconds: 60 },
  run,
};

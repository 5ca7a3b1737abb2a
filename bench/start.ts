/** Start and size: `deno task start --once`, the worker's bundle, and round trips of a device's first verified read. */
import { createMemory, MemoryInProcess, PosternDevice, runtimeSurroundings } from "../shared/client/mod.ts";
import { acceptGrant } from "../shared/client/identity/pair.ts";
import type { CanonicalDn } from "../shared/x509/dn.ts";
import { buildWorker, weigh } from "../scripts/worker/bundle.ts";
import { PROJECT_ROOT } from "../scripts/files.ts";
import { startBenchEdge } from "./fixtures/bench_edge.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import { type BenchReport, hasMissed, type Table, type Target } from "./harness/report.ts";
import { median } from "./harness/stats.ts";

/** One run of the main job. */
interface Started {
  readonly seconds: number;
  /** Until anything is on the screen. */
  readonly firstOutputSeconds: number;
  /** Lines with the seconds at which they came. */
  readonly lines: readonly string[];
}

async function run(context: BenchContext): Promise<BenchReport> {
  const fresh: Started[] = [];
  const again: Started[] = [];
  // Not counted: it fills the caches of the runtime.
  await startOnce(await context.folder());
  for (let round = 1; round <= context.rounds; round++) {
    const folder = await context.folder();
    fresh.push(await startOnce(folder));
    again.push(await startOnce(folder));
    context.log(`round ${round}: ${fresh.at(-1)?.seconds.toFixed(1)} s, again ${again.at(-1)?.seconds.toFixed(1)} s`);
  }
  context.log("building the worker");
  const { bytes, gzipBytes } = await weigh(await buildWorker());
  const trips = await roundTrips(context);
  const slowest = (by: (one: Started) => number) => Math.max(median(fresh.map(by)), median(again.map(by)));
  const targets: Target[] = [
    {
      ...{ what: "deno task start --once, warm", bound: "at most", wanted: 5, unit: "s" },
      found: slowest(({ seconds }) => seconds),
    },
    {
      ...{ what: "its first output", bound: "at most", wanted: 2, unit: "s" },
      found: slowest(({ firstOutputSeconds }) => firstOutputSeconds),
    },
    { what: "worker bundle, gzip", bound: "at most", wanted: 1_024, found: gzipBytes / 1_024, unit: "KiB" },
    { what: "round trips to a first verified read", bound: "at most", wanted: 3, found: trips.length, unit: "" },
  ];
  const last = again.at(-1);
  return {
    targets,
    tables: [startTable(fresh, again), sizeTable(bytes, gzipBytes), tripTable(trips)],
    notes: [],
    profiles: hasMissed(targets.slice(0, 2)) && last !== undefined
      ? [{ title: "what a start printed, and when", text: last.lines.join("\n") }]
      : [],
  };
}

async function startOnce(folder: string): Promise<Started> {
  const started = performance.now();
  const now = () => (performance.now() - started) / 1000;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "start", "--once", "--json", "--data", `${folder}/data`],
    ...{ cwd: PROJECT_ROOT, env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const lines: string[] = [];
  let firstOutputSeconds = Infinity;
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      firstOutputSeconds = Math.min(firstOutputSeconds, now());
      lines.push(...text.trimEnd().split("\n").map((line) => `${now().toFixed(2)} s  ${line}`));
    }
  })();
  const [printed, { success, code }] = await Promise.all([new Response(child.stdout).text(), child.status, reading]);
  const seconds = now();
  if (!success) throw new Error(`deno task start --once ended with code ${code}:\n${lines.join("\n")}`);
  const { ok } = JSON.parse(printed) as { ok?: boolean };
  if (ok !== true) throw new Error(`deno task start --once says that it did not succeed: ${printed}`);
  return { seconds, firstOutputSeconds, lines };
}

/** Every request that a new device makes until it holds a certificate that it has verified. */
async function roundTrips(context: BenchContext): Promise<string[]> {
  const { ed25519: [device], subjects: [subject] } = await startBenchEdge(context, {
    ...{ certificates: 1, ed25519: 1, es256: 0 },
  });
  if (device === undefined || subject === undefined) throw new Error("There is no device or certificate");
  const { profile, state } = await acceptGrant(device.keys, device.request, device.grant);
  const memory = new MemoryInProcess();
  await createMemory(memory, state);
  const requests: string[] = [];
  const surroundings = runtimeSurroundings();
  const client = new PosternDevice({
    ...{ profile, memory, keys: device.keys },
    surroundings: {
      ...surroundings,
      fetch(url, init) {
        requests.push(`${init.method} …/${new URL(url).pathname.split("/").slice(3).join("/")}`);
        return surroundings.fetch(url, init);
      },
    },
  });
  const { found: { length } } = await client.certificates.byCanonicalSubject(subject as CanonicalDn);
  if (length !== 1) throw new Error(`The device found ${length} certificates`);
  return requests;
}

function startTable(fresh: readonly Started[], again: readonly Started[]): Table {
  const line = (name: string, runs: readonly Started[]) => [
    name,
    median(runs.map(({ seconds }) => seconds)),
    Math.max(...runs.map(({ seconds }) => seconds)),
    median(runs.map(({ firstOutputSeconds }) => firstOutputSeconds)),
  ];
  return {
    title: "deno task start --once, caches of the runtime filled",
    columns: ["folder", "seconds", "slowest", "first output after"],
    rows: [line("empty", fresh), line("of an earlier start", again)],
  };
}

function sizeTable(bytes: number, gzipBytes: number): Table {
  return {
    title: "The worker as it is deployed",
    columns: ["form", "KiB"],
    rows: [["as it is", bytes / 1_024], ["gzip", gzipBytes / 1_024]],
  };
}

function tripTable(trips: readonly string[]): Table {
  return {
    title: "Requests of a new device until it has verified a certificate",
    columns: ["request", "number"],
    rows: trips.map((trip, index) => [trip, index + 1]),
  };
}

export const start: Bench = {
  name: "start",
  summary:
    "Time of deno task start --once, size of the worker, round trips of a device's first login and verified read.",
  defaults: { rounds: 3, seconds: 10 },
  run,
};

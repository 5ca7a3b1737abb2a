/** A publisher lists a registry of a million instances. */
import { PROJECT_ROOT } from "../scripts/files.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { BenchReport, Table } from "./harness/report.ts";
import { median } from "./harness/stats.ts";
import { runTimed } from "./harness/timed.ts";
import { fillRegistry, REVOKED_EACH } from "./registry/fill.ts";

const SIZES = [1_000, 100_000, 1_000_000] as const;
const MOST = SIZES[2];
/** "In seconds." */
const WANTED_SECONDS = 5;
const REGISTERED = Date.UTC(2026, 0, 1);
const LISTINGS = {
  "as text": [],
  "--json": ["--json"],
  "--revoked": ["--revoked"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type Listing = keyof typeof LISTINGS;

/** Seconds of one listing, a process from its start to its end. */
interface Turn {
  readonly size: number;
  readonly listing: Listing;
  readonly seconds: number;
}

async function run(context: BenchContext): Promise<BenchReport> {
  const folder = await context.folder();
  for (const size of SIZES) {
    context.log(`registering ${size.toLocaleString("en-US")} instances`);
    await instance(["init", "--product", "org.postern.bench", "--key-id", "fleet", "--registry", `${folder}/${size}`]);
    await fillRegistry(`${folder}/${size}`, size, REGISTERED);
  }
  const turns: Turn[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    for (const size of SIZES) {
      for (const listing of Object.keys(LISTINGS) as Listing[]) {
        const { seconds } = await instance(["list", ...LISTINGS[listing], "--registry", `${folder}/${size}`]);
        turns.push({ size, listing, seconds });
        context.log(`round ${round}: ${size.toLocaleString("en-US")} ${listing} in ${seconds.toFixed(2)} s`);
      }
    }
  }
  const wanted = { bound: "at most", wanted: WANTED_SECONDS, unit: "s" } as const;
  return {
    targets: (["as text", "--json"] as const).map((listing) => ({
      ...{ what: `listing ${MOST.toLocaleString("en-US")} instances ${listing}`, ...wanted },
      found: secondsOf(turns, MOST, listing),
    })),
    tables: [table(turns)],
    notes: [
      "scripts/instance.ts list, from the start of its process to its end, its output thrown away",
      `one instance in ${REVOKED_EACH.toLocaleString("en-US")} was revoked`,
    ],
    profiles: [],
  };
}

function instance(args: readonly string[]): Promise<{ readonly seconds: number }> {
  const script = `${PROJECT_ROOT}/scripts/instance.ts`;
  return runTimed(Deno.execPath(), ["run", "-A", "--quiet", "--no-check", script, ...args]);
}

function secondsOf(turns: readonly Turn[], size: number, listing: Listing): number {
  return median(turns.filter((turn) => turn.size === size && turn.listing === listing).map(({ seconds }) => seconds));
}

function table(turns: readonly Turn[]): Table {
  const listings = Object.keys(LISTINGS) as Listing[];
  return {
    title: "Listing a registry, seconds",
    columns: ["instances", ...listings],
    rows: SIZES.map((size) => [size, ...listings.map((listing) => secondsOf(turns, size, listing))]),
  };
}

export const registry: Bench = {
  name: "registry",
  summary:
    "A publisher's registry of a thousand to a million instances, listed as text, as JSON, and those revoked alone.",
  defaults: { rounds: 3, seconds: 10 },
  run,
};

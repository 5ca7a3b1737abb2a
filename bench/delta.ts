/** A delta of 100 changed rows pushed into stores of a thousand rows and more: what it costs grows with the changes, not with the store. */
import { type DeltaStore, type DeltaTurn, startDeltaStore } from "./fixtures/delta_store.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import { hotSpotText } from "./harness/profile.ts";
import { profileWhile } from "./harness/profile_self.ts";
import { type BenchReport, hasMissed, type Profile, type Table, type Target } from "./harness/report.ts";
import { median, ratios, spread } from "./harness/stats.ts";

const SIZES = [1_000, 10_000, 100_000];
const MANY_ROWS = 1_000_000;
const CHANGES = 100;
const WANTED = 4;
/** Turns of a profile: one alone is over too soon. */
const PROFILED_TURNS = 10;

/** A store with one turn a round. */
interface Measured {
  readonly store: DeltaStore;
  readonly turns: DeltaTurn[];
}

async function run(context: BenchContext): Promise<BenchReport> {
  const measured: Measured[] = [];
  for (const rows of context.large ? [...SIZES, MANY_ROWS] : SIZES) {
    const store = await startDeltaStore(context, rows);
    // Not counted: it fills the caches of both sides.
    await store.pushChanges(CHANGES);
    measured.push({ store, turns: [] });
  }
  for (let round = 1; round <= context.rounds; round++) {
    for (const { store, turns } of measured) {
      const turn = await store.pushChanges(CHANGES);
      turns.push(turn);
      context.log(`round ${round}: ${store.rows.toLocaleString("en-US")} rows: ${Math.round(turn.millis)} ms`);
    }
  }
  const targets = judge(measured);
  const largest = measured.at(-1);
  return {
    targets,
    tables: [table(measured)],
    notes: [
      "a turn is everything the manager does at an interval: inbox, push, commit, reading back, checking proofs",
      ...context.large ? [] : [`${MANY_ROWS.toLocaleString("en-US")} rows are measured with --large`],
    ],
    profiles: hasMissed(targets) && largest !== undefined ? await profile(largest.store) : [],
  };
}

function judge(measured: readonly Measured[]): Target[] {
  const [smallest, largest] = [measured[0], measured.at(-1)];
  const millis = (of: Measured | undefined) => of?.turns.map((turn) => turn.millis) ?? [];
  const [from, to] = [smallest, largest].map((of) => (of?.store.rows ?? 0).toLocaleString("en-US"));
  return [{
    ...{ what: `time of a turn with ${CHANGES} changes, ${to} rows against ${from}`, bound: "at most", wanted: WANTED },
    ...{ found: median(ratios(millis(largest), millis(smallest))), unit: "x" },
  }];
}

function table(measured: readonly Measured[]): Table {
  const middle = (turns: readonly DeltaTurn[], by: (turn: DeltaTurn) => number) => median(turns.map(by));
  return {
    title: `A turn with ${CHANGES} changed rows, medians`,
    columns: ["rows", "ms", "spread", "slowest ms", "CPU ms, manager", "CPU ms, edge"],
    rows: measured.map(({ store, turns }) => [
      store.rows.toLocaleString("en-US"),
      middle(turns, ({ millis }) => millis),
      `${Math.round(100 * spread(turns.map(({ millis }) => millis)))} %`,
      Math.max(...turns.map(({ millis }) => millis)),
      middle(turns, ({ managerMillis }) => managerMillis),
      middle(turns, ({ edgeMillis }) => edgeMillis),
    ]),
  };
}

async function profile(store: DeltaStore): Promise<Profile[]> {
  const turns = async () => {
    for (let turn = 0; turn < PROFILED_TURNS; turn++) await store.pushChanges(CHANGES);
  };
  const edge = store.server.profile(2);
  const [, manager] = await profileWhile(turns);
  const of = `${PROFILED_TURNS} turns with ${store.rows.toLocaleString("en-US")} rows`;
  return [
    { title: `the manager during ${of}, time in the functions themselves`, text: hotSpotText(manager) },
    { title: "the edge during the first 2 seconds of them, likewise", text: hotSpotText(await edge) },
  ];
}

export const delta: Bench = {
  name: "delta",
  summary:
    "A turn of the manager that pushes 100 changed rows, in stores of 1,000 to 100,000 rows (1,000,000 with --large).",
  defaults: { rounds: 11, seconds: 10 },
  run,
};

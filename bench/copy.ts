/** A device's local copy of 100,000 rows: fetched and verified once, then brought up to date by what changed. */
import { createMemory, MemoryInProcess, PosternDevice } from "../shared/client/mod.ts";
import type { CopyChange } from "../shared/client/memory/copy_store.ts";
import type { LocalCopy } from "../shared/client/copy/local_copy.ts";
import { acceptGrant } from "../shared/client/identity/pair.ts";
import { openDatabase } from "../shared/database/open.ts";
import { openDeviceDatabase } from "../shared/stores/device_database.ts";
import { type DeltaStore, startDeltaStore } from "./fixtures/delta_store.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import { hotSpotText } from "./harness/profile.ts";
import { profileWhile } from "./harness/profile_self.ts";
import { type BenchReport, hasMissed, type Table, type Target } from "./harness/report.ts";
import { median, spread } from "./harness/stats.ts";

const ROWS = 100_000;
const CHANGES = 100;
const WANTED_MILLIS = 200;

/** A device with its copy. */
interface Copying {
  readonly device: PosternDevice;
  readonly copy: LocalCopy;
  /** Milliseconds that the database took of the sync before. */
  storing(): number;
  /** Forgets what it has in memory, as when the app ends. */
  restarted(): Promise<Copying>;
}

async function run(context: BenchContext): Promise<BenchReport> {
  const store = await startDeltaStore(context, ROWS);
  let copying = await startCopy(context, store);
  const first = await timed(copying);
  context.log(`${ROWS.toLocaleString("en-US")} rows in ${(first.millis / 1_000).toFixed(1)} s`);
  copying = await copying.restarted();
  const reopened = await timed(copying);
  // Not counted: it fills the caches of both sides.
  await syncChanges(store, copying);
  const deltas: Sync[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    const sync = await syncChanges(store, copying);
    deltas.push(sync);
    context.log(`round ${round}: ${sync.millis.toFixed(1)} ms, of them the database ${sync.storing.toFixed(1)} ms`);
  }
  const targets = judge(deltas);
  return {
    targets,
    tables: [table(deltas), wholeTable(first, reopened)],
    notes: [
      "a sync is everything from asking for the head to the rows lying on the disk, with an edge on the same machine",
    ],
    profiles: hasMissed(targets) ? [await profile(store, copying)] : [],
  };
}

/** Pairs the device, and gives it a database for its copy. */
async function startCopy(context: BenchContext, { device: { keys, request, grant } }: DeltaStore): Promise<Copying> {
  const { profile, state } = await acceptGrant(keys, request, grant);
  const memory = new MemoryInProcess();
  await createMemory(memory, state);
  const db = await openDatabase(`file:${await context.folder()}/copy.db`);
  context.atEnd(() => db.close());
  const start = async (): Promise<Copying> => {
    const { copy: store } = await openDeviceDatabase(db);
    let millis = 0;
    const apply = store.apply.bind(store);
    store.apply = async (change: CopyChange) => {
      const started = performance.now();
      await apply(change);
      millis = performance.now() - started;
    };
    const device = new PosternDevice({ profile, keys, memory, copy: store });
    if (device.copy === null) throw new Error("The device has no copy");
    await device.login();
    return { device, copy: device.copy, storing: () => millis, restarted: start };
  };
  return await start();
}

/** What a sync took, milliseconds. */
interface Sync {
  readonly millis: number;
  /** Of them, the database of the copy. */
  readonly storing: number;
  readonly put: number;
}

async function timed({ copy, storing }: Copying): Promise<Sync> {
  const started = performance.now();
  const { put } = await copy.sync();
  return { millis: performance.now() - started, storing: put === 0 ? 0 : storing(), put };
}

async function syncChanges(store: DeltaStore, copying: Copying): Promise<Sync> {
  await store.pushChanges(CHANGES);
  const sync = await timed(copying);
  if (sync.put < CHANGES || sync.put > ROWS / 10) {
    throw new Error(`A sync of ${CHANGES} changes fetched ${sync.put} rows`);
  }
  return sync;
}

function judge(deltas: readonly Sync[]): Target[] {
  return [{
    ...{ what: `sync of ${CHANGES} changes into a copy of ${ROWS.toLocaleString("en-US")} rows`, bound: "at most" },
    ...{ wanted: WANTED_MILLIS, found: median(deltas.map(({ millis }) => millis)), unit: "ms" },
  }];
}

function table(deltas: readonly Sync[]): Table {
  const all = deltas.map(({ millis }) => millis);
  const storing = deltas.map((sync) => sync.storing);
  return {
    title: `Sync of ${CHANGES} changed rows`,
    columns: ["what", "ms", "spread", "slowest ms"],
    rows: [
      ["fetched, verified, stored", median(all), `${Math.round(100 * spread(all))} %`, Math.max(...all)],
      ["of it, the copy's database", median(storing), `${Math.round(100 * spread(storing))} %`, Math.max(...storing)],
    ],
  };
}

function wholeTable(first: Sync, reopened: Sync): Table {
  return {
    title: `A copy of ${ROWS.toLocaleString("en-US")} rows, once`,
    columns: ["what", "seconds"],
    rows: [
      ["the first sync: everything fetched, verified, stored", first.millis / 1_000],
      ["the first sync after a start: everything read again and verified", reopened.millis / 1_000],
    ],
  };
}

async function profile(store: DeltaStore, copying: Copying) {
  await store.pushChanges(CHANGES);
  const [, spots] = await profileWhile(() => copying.copy.sync());
  return { title: "the device during a sync, time in the functions themselves", text: hotSpotText(spots) };
}

export const copy: Bench = {
  name: "copy",
  summary: "A device's sync of 100 changed rows into its verified local copy of 100,000 rows, in a database.",
  defaults: { rounds: 11, seconds: 10 },
  run,
};

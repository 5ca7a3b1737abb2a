/** Full re-encryption and push of 100,000 rows into an embedded edge, against the bare crypto of the same rows. */
import { toHex } from "../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../shared/crypto/random.ts";
import { MANAGER_ENV, MANAGER_V8_FLAGS } from "../scripts/manager_flags.ts";
import { startEdge } from "./fixtures/bench_edge.ts";
import { addMessages } from "./fixtures/messages.ts";
import { addDevices, createBenchOwner } from "./fixtures/owner.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import { cpuSeconds } from "./harness/processes.ts";
import { hotSpotText } from "./harness/profile.ts";
import { type BenchReport, hasMissed, type Table, type Target } from "./harness/report.ts";
import { type RunningScript, startScript } from "./harness/scripts.ts";
import { median, ratios } from "./harness/stats.ts";
import type { BareResult } from "./push/bare_rows.ts";
import type { ManagerSettings, PushResult } from "./push/manager.ts";
import { type MemoryCurve, MemoryWatch } from "./push/memory.ts";
import { freePort } from "./servers/free_port.ts";
import type { Server } from "./servers/spawn.ts";

const ROWS = 100_000;
const ROW_BYTES = 1_024;
/** Memory is flat when its last third stands no higher than this above its middle third. */
const FLAT = 1.15;

/** One push and what it was measured beside. */
interface Round {
  readonly bare: BareResult;
  readonly push: PushResult;
  /** Of the edge, for push and reading back. */
  readonly edgeCpuSeconds: number;
  readonly manager: MemoryCurve;
  readonly edge: MemoryCurve;
}

async function run(context: BenchContext): Promise<BenchReport> {
  const { folder, settingsPath, server } = await prepare(context);
  const rounds: Round[] = [];
  for (let number = 1; number <= context.rounds; number++) {
    const bare = await startScript("push/bare_crypto.ts", [String(ROWS), String(ROW_BYTES)]).result<BareResult>();
    const round = { bare, ...await measurePush(startManager(settingsPath), server) };
    rounds.push(round);
    context.log(`round ${number}: ${rate(round.push)} rows/s pushed, ${rate(bare)} rows/s of bare crypto`);
  }
  const targets = judge(rounds);
  const profiles = hasMissed(targets) ? await profile(settingsPath, server) : [];
  const database = (await Deno.stat(`${folder}/edge.db`)).size / 2 ** 20;
  return {
    targets,
    tables: [speeds(rounds), memory(rounds)],
    notes: [
      "bare crypto runs in one process; WebCrypto shares its work out among all cores, as it does for the manager",
      `after the last push the edge's database had ${Math.round(database)} MiB`,
    ],
    profiles,
  };
}

async function prepare(context: BenchContext) {
  const folder = await context.folder();
  const encryptionKey = webCryptoRandom(32);
  const owner = await createBenchOwner(folder, `http://127.0.0.1:${freePort()}`, encryptionKey);
  await addDevices(owner, "Ed25519", 1);
  context.log(`making ${ROWS} rows`);
  await addMessages(owner, ROWS - 1, ROW_BYTES);
  await owner.db.close();
  const settings: ManagerSettings = {
    databasePath: `${folder}/manager.db`,
    encryptionKey: toHex(encryptionKey),
  };
  const settingsPath = `${folder}/manager.json`;
  await Deno.writeTextFile(settingsPath, JSON.stringify(settings));
  const server = await startEdge(owner, `file:${folder}/edge.db`);
  context.atEnd(() => server.stop());
  return { folder, settingsPath, server };
}

/** As it is started at home. */
function startManager(settingsPath: string, ...args: readonly string[]): RunningScript {
  return startScript("push/manager.ts", [settingsPath, ...args], [MANAGER_V8_FLAGS], MANAGER_ENV);
}

async function measurePush(manager: RunningScript, server: Server): Promise<Omit<Round, "bare">> {
  const watch = new MemoryWatch({ manager: manager.pid, edge: server.pid });
  const before = cpuSeconds([server.pid]);
  const push = await manager.result<PushResult>();
  const edgeCpuSeconds = cpuSeconds([server.pid]) - before;
  return { push, edgeCpuSeconds, manager: watch.stop("manager"), edge: watch.stop("edge") };
}

function rate({ rows, ...times }: BareResult | PushResult): number {
  return Math.round(rows / ("seconds" in times ? times.seconds : times.pushSeconds));
}

function rateWithReadBack({ rows, pushSeconds, readBackSeconds }: PushResult): number {
  return Math.round(rows / (pushSeconds + readBackSeconds));
}

function judge(rounds: readonly Round[]): Target[] {
  const pushed = rounds.map(({ push }) => rate(push));
  const highest = (who: "manager" | "edge") => Math.max(...rounds.map((round) => round[who].highest));
  const growth = (who: "manager" | "edge") =>
    median(rounds.map((round) => round[who].thirds[2] / round[who].thirds[1]));
  return [
    {
      ...{ what: "rows/s against bare crypto", bound: "at least", wanted: 0.35, unit: "x" },
      found: median(ratios(pushed, rounds.map(({ bare }) => rate(bare)))),
    },
    {
      ...{ what: "the same with everything read back and compared", bound: "at least", wanted: 0.3, unit: "x" },
      found: median(ratios(rounds.map(({ push }) => rateWithReadBack(push)), rounds.map(({ bare }) => rate(bare)))),
    },
    { what: "edge, resident at most", bound: "at most", wanted: 170, found: highest("edge"), unit: "MiB" },
    { what: "manager, resident at most", bound: "at most", wanted: 200, found: highest("manager"), unit: "MiB" },
    ...(["edge", "manager"] as const).map((who): Target => ({
      ...{ what: `${who}, last third of the push against the middle third`, bound: "at most", wanted: FLAT },
      ...{ found: growth(who), unit: "x" },
    })),
  ];
}

function speeds(rounds: readonly Round[]): Table {
  const of = (by: (round: Round) => number) => median(rounds.map(by));
  return {
    title: `${ROWS.toLocaleString("en-US")} rows of ${ROW_BYTES} bytes`,
    columns: ["what", "rows/s", "seconds", "CPU µs/row, manager", "CPU µs/row, edge"],
    rows: [
      ["bare crypto: decrypt, encrypt, MAC", of(({ bare }) => rate(bare)), of(({ bare }) => bare.seconds), null, null],
      [
        "re-encrypted, pushed, committed (CPU: read back too)",
        of(({ push }) => rate(push)),
        of(({ push }) => push.pushSeconds),
        of(({ push }) => push.cpuSeconds / push.rows * 1e6),
        of(({ push, edgeCpuSeconds }) => edgeCpuSeconds / push.rows * 1e6),
      ],
      [
        "read back and compared",
        of(({ push }) => push.rows / push.readBackSeconds),
        of(({ push }) => push.readBackSeconds),
        null,
        null,
      ],
    ],
  };
}

function memory(rounds: readonly Round[]): Table {
  const line = (name: string, who: "manager" | "edge") => [
    name,
    ...([0, 1, 2] as const).map((third) => median(rounds.map((round) => round[who].thirds[third]))),
    Math.max(...rounds.map((round) => round[who].highest)),
  ];
  return {
    title: "Resident memory over a push and its reading back, MiB",
    columns: ["process", "first third", "middle third", "last third", "highest"],
    rows: [line("manager", "manager"), line("edge", "edge")],
  };
}

async function profile(settingsPath: string, server: Server) {
  const manager = startManager(settingsPath, "--profile");
  const [{ hotSpots }, edgeSpots] = await Promise.all([manager.result<PushResult>(), server.profile(8)]);
  return [
    { title: "the manager during a push, time in the functions themselves", text: hotSpotText(hotSpots) },
    { title: "the edge during its first 8 seconds, likewise", text: hotSpotText(edgeSpots) },
  ];
}

export const push: Bench = {
  name: "push",
  summary: "Full re-encryption and push of 100,000 rows of 1 KiB into an embedded edge, against bare crypto; memory.",
  defaults: { rounds: 3, seconds: 10 },
  run,
};

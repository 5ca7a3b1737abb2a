/** A manifest of 100 KiB encrypted to one instance up to ten thousand, and opened as the last, beside age and CMS. */
import { PROJECT_ROOT } from "../scripts/files.ts";
import { WRAPPED_BYTES } from "../shared/manifest/recipient_table.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { BenchReport, Table, Target } from "./harness/report.ts";
import { startScript } from "./harness/scripts.ts";
import { median, ratios } from "./harness/stats.ts";
import { runTimed } from "./harness/timed.ts";
import { CMS_KEYS, createAge, createCms, type RecipientPeer, recipientPeersObstacle } from "./peers/recipients.ts";
import { MANIFEST_BYTES, type RecipientFigures } from "./recipients/measure.ts";

const COUNTS = [1, 100, 1_000, 10_000] as const;
const MOST = COUNTS[3];
const WRAPS = Object.keys(WRAPPED_BYTES) as (keyof typeof WRAPPED_BYTES)[];
const NAMES = { x25519: "Postern, X25519", xwing: "Postern, X-Wing" } as const;
type Count = typeof COUNTS[number];

/** One round of one contestant with one number of recipients. Seconds; those in process are null for programs of others. */
interface Turn {
  readonly name: string;
  readonly count: Count;
  readonly bytes: number;
  readonly inProcess: { readonly encrypt: number; readonly open: number } | null;
  readonly encrypt: number;
  readonly open: number;
}

async function run(context: BenchContext): Promise<BenchReport> {
  const folder = await context.folder();
  const absent = await recipientPeersObstacle();
  if (absent !== null) context.log(`AGE AND CMS ARE NOT MEASURED: ${absent}`);
  const peers: RecipientPeer[] = absent === null ? [await createAge(folder)] : [];
  if (absent === null) {
    for (const name of Object.keys(CMS_KEYS) as (keyof typeof CMS_KEYS)[]) peers.push(await createCms(folder, name));
  }
  const turns: Turn[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    for (const count of COUNTS) {
      for (const wrap of WRAPS) turns.push(await own(`${folder}/${round}-${count}-${wrap}`, count, wrap));
      const input = `${folder}/${round}-${count}-x25519/manifest.json`;
      for (const peer of peers) turns.push(await other(peer, input, count));
      const said = turns.slice(-WRAPS.length - peers.length).map(({ name, inProcess, encrypt, open }) =>
        `${name} ${millis(inProcess?.encrypt ?? encrypt)} / ${millis(inProcess?.open ?? open)}`
      );
      context.log(`round ${round}, ${count} recipients, ms to encrypt / to open: ${said.join(", ")}`);
    }
  }
  return {
    targets: judge(turns, absent),
    tables: COUNTS.map((count) => table(turns, count)),
    notes: [
      ...(absent === null ? [] : [`AGE AND CMS WERE NOT MEASURED: ${absent}`]),
      "in process: warm, from a manifest to an envelope, and from an envelope to a validated manifest; whole: a program from its start to its end, Postern's being encrypt_manifest.ts with its registry of all instances, and one that opens",
      "nothing is signed here, as neither age nor CMS does; bench manifest has the signatures",
      "all recipients but the last have a few key pairs in turns, with every contestant; Postern's each have an entry secret of their own",
    ],
    profiles: [],
  };
}

function millis(seconds: number): string {
  return (1_000 * seconds).toFixed(1);
}

async function own(folder: string, count: Count, wrap: keyof typeof WRAPPED_BYTES): Promise<Turn> {
  await Deno.mkdir(folder);
  const args = [String(count), wrap, folder];
  const figures = await startScript("recipients/measure.ts", args).result<RecipientFigures>();
  const deno = (script: string, ...rest: string[]) =>
    runTimed(Deno.execPath(), ["run", "-A", "--quiet", "--no-check", `${PROJECT_ROOT}/${script}`, ...rest]);
  const files = ["--input", `${folder}/manifest.json`, "--output", `${folder}/again.json`, "--registry", folder];
  const how = ["--key-id", "fleet", "--schema", "2", ...(wrap === "x25519" ? ["--classical"] : [])];
  const encrypt = await deno("scripts/encrypt_manifest.ts", ...files, ...how);
  const open = await deno("bench/recipients/open.ts", `${folder}/again.json`, `${folder}/secrets.json`);
  return {
    ...{ name: NAMES[wrap], count, bytes: figures.envelopeBytes },
    inProcess: { encrypt: figures.encryptMs / 1_000, open: figures.openMs / 1_000 },
    ...{ encrypt: encrypt.seconds, open: open.seconds },
  };
}

async function other(peer: RecipientPeer, input: string, count: Count): Promise<Turn> {
  const output = `${input}.${peer.name.replaceAll(/\W/g, "")}`;
  const encrypt = await peer.encrypt(input, output, count);
  const open = await peer.open(output);
  const { size } = await Deno.stat(output);
  await Deno.remove(output);
  return { name: peer.name, count, bytes: size, inProcess: null, encrypt, open };
}

function judge(turns: readonly Turn[], absent: string | null): Target[] {
  const of = (name: string, count: Count) => turns.filter((turn) => turn.name === name && turn.count === count);
  const inProcess = (name: string, count: Count, what: "encrypt" | "open") =>
    of(name, count).map((turn) => turn.inProcess?.[what] ?? NaN);
  const beside = (what: "encrypt" | "open") =>
    median(ratios(inProcess(NAMES.x25519, MOST, what), of("age", MOST).map((turn) => turn[what])));
  const unmeasured = absent === null ? {} : { unmeasured: absent };
  return [
    ...WRAPS.map((wrap): Target => ({
      ...{ what: `opening as the last of 10,000, in process, ${NAMES[wrap]}`, bound: "at most", wanted: 2, unit: "ms" },
      found: 1_000 * median(inProcess(NAMES[wrap], MOST, "open")),
    })),
    {
      ...{ what: "encrypting to 10,000, in process, X25519, against age", bound: "at most", wanted: 1, unit: "x" },
      ...{ found: absent === null ? beside("encrypt") : null, ...unmeasured },
    },
    {
      ...{ what: "opening as the last of 10,000, in process, X25519, against age", bound: "at most", wanted: 0.15 },
      ...{ found: absent === null ? beside("open") : null, ...unmeasured, unit: "x" },
    },
  ];
}

function table(turns: readonly Turn[], count: Count): Table {
  const names = [...new Set(turns.map(({ name }) => name))];
  return {
    title: `${count.toLocaleString("en-US")} recipients, milliseconds`,
    columns: ["what", "encrypting", "whole", "opening", "whole ", "bytes", "bytes a recipient"],
    rows: names.map((name) => {
      const own = turns.filter((turn) => turn.name === name && turn.count === count);
      const of = (by: (turn: Turn) => number) => median(own.map(by));
      const bytes = of((turn) => turn.bytes);
      const inProcess = (what: "encrypt" | "open") =>
        own[0]?.inProcess === null ? null : of((turn) => 1_000 * (turn.inProcess?.[what] ?? NaN));
      return [
        ...[name, inProcess("encrypt"), of((turn) => 1_000 * turn.encrypt)],
        ...[inProcess("open"), of((turn) => 1_000 * turn.open), bytes],
        perRecipient(turns, name, count, bytes),
      ];
    }),
  };
}

/** What one more costs: against the smallest number. */
function perRecipient(turns: readonly Turn[], name: string, count: Count, bytes: number): number | null {
  if (count === COUNTS[0]) return null;
  const single = median(turns.filter((turn) => turn.name === name && turn.count === COUNTS[0]).map((one) => one.bytes));
  return (bytes - single) / (count - 1);
}

export const recipients: Bench = {
  name: "recipients",
  summary: `A manifest of ${
    MANIFEST_BYTES / 1_024
  } KiB encrypted to 1, 100, 1,000 and 10,000 instances by schema 2, and opened as the last, beside age and openssl cms: time and size.`,
  defaults: { rounds: 3, seconds: 10 },
  run,
};

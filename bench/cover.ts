/** The header of a release for fleets of a thousand to four thousand million, and what sealing and opening it takes. */
import type { CoverFigures } from "./cover/measure.ts";
import type { Bench, BenchContext } from "./harness/bench.ts";
import type { BenchReport, Table, Target } from "./harness/report.ts";
import { startScript } from "./harness/scripts.ts";
import { median } from "./harness/stats.ts";

const DEPTHS = [10, 14, 20, 26, 32] as const;
const REVOKED = [0, 1, 10, 100, 1_000] as const;
/** What the targets are about. */
const JUDGED = [20, 32] as const;
const JUDGED_REVOKED = 100;

/** Bytes for each recipient, as measured with their command lines and 10,000 recipients. */
const AGE_BYTES = 98;
const CMS_EC_BYTES = 238;
const CMS_RSA_BYTES = 360;

/** All rounds of one tree with one number of revoked instances. */
type Rounds = readonly CoverFigures[];

async function run(context: BenchContext): Promise<BenchReport> {
  const points = DEPTHS.flatMap((depth) =>
    REVOKED.map((revoked) => ({ depth, revoked, rounds: [] as CoverFigures[] }))
  );
  for (let round = 1; round <= context.rounds; round++) {
    for (const { depth, revoked, rounds } of points) {
      const args = ["--leaves", `2^${depth}`, "--revoked", String(revoked), "--json"];
      const figures = await startScript("cover/main.ts", args).result<CoverFigures>();
      rounds.push(figures);
      const times = `sealed in ${figures.encryptMs.toFixed(1)} ms, opened in ${figures.openMs.toFixed(2)} ms`;
      context.log(`round ${round}: 2^${depth}, ${revoked} revoked: ${figures.headerBytes} bytes, ${times}`);
    }
  }
  const judged = JUDGED.flatMap((depth) => {
    const rounds = points.find((point) => point.depth === depth && point.revoked === JUDGED_REVOKED)?.rounds ?? [];
    return judge(`2^${depth} leaves, ${JUDGED_REVOKED} revoked`, rounds);
  });
  return {
    targets: judged,
    tables: [table(points), sizes(points)],
    notes: [
      "every round seals a payload of 100 KiB, opens it as an instance, and is refused as each of the revoked; with a process of its own",
      "age and CMS: what 98, 238 (EC) and 360 (RSA-2048) bytes for each recipient would come to, if every leaf but the revoked ones is one",
    ],
    profiles: [],
  };
}

function judge(where: string, rounds: Rounds): Target[] {
  const of = (by: (figures: CoverFigures) => number) => median(rounds.map(by));
  return [
    {
      ...{ what: `header, ${where}`, bound: "at most", wanted: 65_536, unit: "bytes" },
      found: of(({ headerBytes }) => headerBytes),
    },
    {
      ...{ what: `header in base64, ${where}`, bound: "at most", wanted: 16_384, unit: "bytes" },
      found: of(({ headerBase64Chars }) => headerBase64Chars),
    },
    {
      ...{ what: `encrypting, ${where}`, bound: "at most", wanted: 1_000, unit: "ms" },
      found: of(({ encryptMs }) => encryptMs),
    },
    { ...{ what: `opening, ${where}`, bound: "at most", wanted: 2, unit: "ms" }, found: of(({ openMs }) => openMs) },
    {
      ...{ what: `revoked that are refused, ${where}`, bound: "at least", wanted: JUDGED_REVOKED, unit: "" },
      found: Math.min(...rounds.map(({ opened, revokedRefused }) => opened ? revokedRefused : NaN)),
    },
  ];
}

interface Point {
  readonly depth: number;
  readonly revoked: number;
  readonly rounds: Rounds;
}

function table(points: readonly Point[]): Table {
  return {
    title: "Sealing and opening",
    columns: ["leaves", "revoked", "subsets", "entries", "header, bytes", "keys, bytes", "encrypt, ms", "open, ms"],
    rows: points.map(({ depth, revoked, rounds }) => {
      const of = (by: (figures: CoverFigures) => number) => median(rounds.map(by));
      return [
        ...[`2^${depth}`, revoked, of(({ subsets }) => subsets), of(({ entries }) => entries)],
        ...[of(({ headerBytes }) => headerBytes), of(({ memberBytes }) => memberBytes)],
        ...[of(({ encryptMs }) => encryptMs), of(({ openMs }) => openMs)],
      ];
    }),
  };
}

function sizes(points: readonly Point[]): Table {
  return {
    title: "Size of what is added to the payload, beside one wrapped key for each recipient",
    columns: ["leaves", "revoked", "cover", "age", "CMS, EC", "CMS, RSA"],
    rows: points.map(({ depth, revoked, rounds }) => {
      const recipients = 2 ** depth - revoked;
      const cover = median(rounds.map(({ headerBytes }) => headerBytes));
      const peers = [AGE_BYTES, CMS_EC_BYTES, CMS_RSA_BYTES].map((bytes) => bytes * recipients);
      return [`2^${depth}`, revoked, ...[cover, ...peers].map(inUnits)];
    }),
  };
}

function inUnits(bytes: number): string {
  const [amount, unit] = bytes < 2 ** 20
    ? [bytes / 2 ** 10, "KiB"]
    : bytes < 2 ** 30
    ? [bytes / 2 ** 20, "MiB"]
    : [bytes / 2 ** 30, "GiB"];
  return `${amount.toLocaleString("en-US", { maximumSignificantDigits: 3 })} ${unit}`;
}

export const cover: Bench = {
  name: "cover",
  summary:
    "A release of 100 KiB sealed to a tree of 2^10 to 2^32 leaves but 0 to 1,000 revoked ones: header, time, and the size it would have with one wrapped key for each instance.",
  defaults: { rounds: 1, seconds: 10 },
  run,
};

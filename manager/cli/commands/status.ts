/** `postern status` and `postern settings`: how the manager stands, and the owner's choices. */
import { LIMITS } from "../../../shared/limits.ts";
import { PosternError } from "../../../shared/errors.ts";
import { readOverview } from "../../doctor/overview.ts";
import { META, readNumber, setNumber } from "../../store/meta.ts";
import { type OwnerPolicy, readPolicy, setPolicy } from "../../store/policy.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { duration, parseDuration } from "../../text/moments.ts";
import type { Output } from "../output.ts";
import { pairs } from "../../text/layout.ts";
import { wholeNumber } from "../read_text.ts";
import { presentStatus } from "../texts/status.ts";
import { INTERVAL_BOUNDS } from "./init.ts";

interface SettingsOptions {
  readonly interval?: string;
  readonly fullUpTo?: string;
  readonly maxEpoch?: string;
  readonly cover?: string;
  readonly review?: string;
}

/** No epoch lives longer than this, whatever the owner chooses: index tokens live as long. */
const EPOCH_BOUNDS = { min: 3_600_000, max: 90 * 86_400_000 } as const;

const SETTINGS_HELP = `
A store of up to --full-up-to rows is re-encrypted at every interval, and padded. The edge cannot see whether or which rows changed,
except for new channels, messages of more than 4 KiB, and now and then a message that fills up a step. In a larger store only changes
are sent, filled up with empty rows to steps of at least --cover rows, so that their number says little. With --cover 0 nothing is
padded. docs/owners/pushing.md says what this costs and what the edge still sees.

Examples:
  $ postern settings
  $ postern settings --interval 10m --full-up-to 1000
  $ postern settings --review all`;

export const registerStatus: Register = (parent, bind: Bind) => {
  parent.command("status").summary("how the manager is doing").description(
    "Shows how the manager is doing, from its own database alone.",
  )
    .addHelpText("after", "\nExamples:\n  $ postern status\n  $ postern status --json | jq .owner").action(
      bind(status),
    );
  parent.command("settings").summary("show or change how pushes are made").description(
    "Shows your choices, or changes those that you name.",
  )
    .option("--interval <duration>", "between two pushes").option(
      "--full-up-to <rows>",
      "re-encrypt everything at each push up to so many rows",
    )
    .option("--cover <rows>", "pad, and fill up changes to at least this many rows; 0 for neither")
    .option("--max-epoch <duration>", "start a new epoch after this long at the latest")
    .option("--review <which>", "which new certificates wait for you: untrusted, or all")
    .addHelpText("after", SETTINGS_HELP).action(bind(settings));
};

async function status(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => presentStatus(await readOverview(db), cli.folder, cli.s.now()));
}

async function settings(cli: Cli, _args: readonly string[], options: SettingsOptions): Promise<Output> {
  const { interval, fullUpTo, maxEpoch, review, cover } = options;
  const newInterval = interval === undefined ? null : parseDuration(interval, "--interval", INTERVAL_BOUNDS);
  return await withManager(cli, async (db) => {
    const policy = changed(await readPolicy(db), options);
    const intervalMillis = newInterval ?? await readNumber(db, META.intervalMillis);
    if ([interval, fullUpTo, maxEpoch, review, cover].some((value) => value !== undefined)) {
      await db.batch([setPolicy(policy), setNumber(META.intervalMillis, intervalMillis)]);
    }
    return present(policy, intervalMillis);
  });
}

function changed(policy: OwnerPolicy, { fullUpTo, maxEpoch, review, cover }: SettingsOptions): OwnerPolicy {
  return {
    fullUpToRows: fullUpTo === undefined
      ? policy.fullUpToRows
      : wholeNumber(fullUpTo, "--full-up-to", { min: 0, max: LIMITS.maxFullUpToRows }),
    maxEpochMillis: maxEpoch === undefined
      ? policy.maxEpochMillis
      : parseDuration(maxEpoch, "--max-epoch", EPOCH_BOUNDS),
    review: review === undefined ? policy.review : reviewOf(review),
    coverRows: cover === undefined
      ? policy.coverRows
      : wholeNumber(cover, "--cover", { min: 0, max: LIMITS.maxCoverRows }),
  };
}

function reviewOf(text: string): OwnerPolicy["review"] {
  if (text === "untrusted" || text === "all") return text;
  throw new PosternError("usage", `--review takes untrusted or all; found '${text}'`);
}

function present(
  { fullUpToRows, maxEpochMillis, review, coverRows }: OwnerPolicy,
  intervalMillis: number,
): Output {
  const [intervalSeconds, maxEpochSeconds] = [intervalMillis / 1_000, maxEpochMillis / 1_000];
  return {
    json: { intervalSeconds, fullUpToRows, maxEpochSeconds, review, coverRows },
    text: pairs([
      ["interval", duration(intervalMillis)],
      ["everything anew", `at each push up to ${fullUpToRows} rows`],
      ["cover", coverRows === 0 ? "none: the edge can count what changes" : `at least ${coverRows} rows of each kind`],
      ["new epoch", `at the latest after ${duration(maxEpochMillis)}, and whenever devices change`],
      ["review", review === "all" ? "every new certificate" : "certificates without a path to a trusted one"],
      ["devices", `at most ${LIMITS.maxDevices}`],
    ]),
  };
}

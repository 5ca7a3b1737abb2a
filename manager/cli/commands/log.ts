/** `postern log`: what this manager did. */
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { SHA256_BYTES } from "../../../shared/crypto/hash.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { chainEvents, type Checkpoint, verifyTrail } from "../../audit/chain.ts";
import { EVENT_KINDS, isEventKind } from "../../audit/kinds.ts";
import { readEvents } from "../../audit/read.ts";
import { parsePoint } from "../../text/moments.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { checkpointText, presentChecked, presentEvents, presentKinds } from "../texts/log.ts";

const DEFAULT_LAST = 50;

const LOG_HELP = `
A kind is one that --kinds shows, or the part before its dot: device, key, rotation, update. Times are dates or moments in ISO 8601
(UTC unless they say otherwise), or how long ago: 12h, 7d.

The trail is a chain of hashes, which postern log verify checks. Keep a checkpoint (postern log checkpoint) where this machine cannot
change it, and check against it later: nothing before it can be rewritten unnoticed.

Examples:
  $ postern log --kind device --kind key.exported --since 30d
  $ postern log --text laptop --last 10
  $ postern log --kind update --json`;

const VERIFY_HELP = `
Exits with 76 if an event was changed, removed or inserted, or if the trail does not contain a checkpoint.

Examples:
  $ postern log verify
  $ postern log verify --checkpoint 812:5f0c...`;

interface LogOptions {
  readonly kind?: readonly string[];
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
  readonly last?: string;
  readonly kinds?: boolean;
  readonly verify?: boolean;
}

export const registerLog: Register = (parent, bind: Bind) => {
  const log = parent.command("log").summary("what this manager did: the audit trail").description(
    "The audit trail: uses of keys, changes of devices, epochs and trust, decisions about updates. Newest last.",
  )
    .option("--kind <kind...>", "only these kinds").option("--text <text>", "only what names this")
    .option("--since <when>", "from then on").option("--until <when>", "up to then")
    .option("--last <n>", `the newest so many (default: ${DEFAULT_LAST})`)
    .option("--verify", "check the whole chain as well").option("--kinds", "show the kinds there are")
    .addHelpText("after", LOG_HELP).action(bind(show));
  log.command("verify").summary("check that nothing was changed").description(
    "Checks the chain of hashes from the first event on.",
  )
    .option("--checkpoint <number:hash...>", "places noted earlier that it must contain")
    .addHelpText("after", VERIFY_HELP).action(bind(verify));
  log.command("checkpoint").summary("the newest place in the chain, to be noted elsewhere").description(
    "Prints the number and hash of the newest event.",
  )
    .addHelpText("after", "\nExample:\n  $ postern log checkpoint >> /mnt/usb/checkpoints").action(bind(checkpoint));
};

async function show(cli: Cli, _args: readonly string[], options: LogOptions): Promise<Output> {
  if (options.kinds === true) return presentKinds();
  const now = cli.s.now();
  const filter = {
    kinds: (options.kind ?? []).map(requireKind),
    text: options.text ?? null,
    since: options.since === undefined ? null : parsePoint(options.since, "--since", now),
    until: options.until === undefined ? null : parsePoint(options.until, "--until", now),
    last: parseLast(options.last),
  };
  return await withManager(cli, async (db) => {
    await chainEvents(db);
    const checked = options.verify === true ? await verifyTrail(db, []) : null;
    return presentEvents(await readEvents(db, filter), checked);
  });
}

async function verify(
  cli: Cli,
  _args: readonly string[],
  options: { checkpoint?: readonly string[] },
): Promise<Output> {
  const noted = (options.checkpoint ?? []).map(parseCheckpoint);
  return await withManager(cli, async (db) => {
    await chainEvents(db);
    return presentChecked(await verifyTrail(db, noted), noted);
  });
}

async function checkpoint(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => {
    const text = checkpointText(await chainEvents(db));
    return { json: { checkpoint: text }, text };
  });
}

function requireKind(kind: string): string {
  const isGroup = Object.keys(EVENT_KINDS).some((known) => known.startsWith(`${kind}.`));
  if (isEventKind(kind) || isGroup) return kind;
  throw new PosternError("usage", `There is no kind of event '${kind}'; see: postern log --kinds`);
}

function parseLast(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LAST;
  const last = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (last >= 1 && last <= LIMITS.maxListed) return last;
  throw new PosternError("usage", `--last takes a number from 1 to ${LIMITS.maxListed}; found '${text}'`);
}

function parseCheckpoint(text: string): Checkpoint {
  const [, number = "", hash = ""] = /^(\d{1,15}):([0-9a-f]+)$/.exec(text) ?? [];
  try {
    const bytes = fromHex(hash);
    if (Number(number) > 0 && bytes.length === SHA256_BYTES) return { number: Number(number), hash: bytes };
  } catch (error) {
    if (!isPosternError(error)) throw error;
  }
  throw new PosternError("usage", `A checkpoint looks like 812:5f0c... with 64 hexadecimal digits; found '${text}'`);
}

/** Takes submissions from the edge: each checked, each processed once, in the order of its stream (spec: INBOX-07, INBOX-08). */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { judgeSeen, recordFork } from "../heads/forks.ts";
import { META, readBytes } from "../store/meta.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import type { InboxEnvironment } from "./environment.ts";
import { judgePlace } from "./judge.ts";
import { openSubmission } from "./open.ts";
import { processSubmission } from "./process.ts";
import { type Genuine, readInbox } from "./read.ts";
import { endStream, findStream } from "./streams.ts";
import { streamName, Waiting } from "./waiting.ts";

/** What came of one turn of the inbox. */
export interface InboxTaken {
  /** Processed with their effect. */
  readonly done: number;
  /** Waiting for the owner. */
  readonly held: number;
  /** Well signed, but not usable; recorded and acknowledged. */
  readonly refused: number;
  /** Neither signed by a device of the owner's nor acknowledged. */
  readonly ignored: number;
  /** Streams that a device continued after a head which this manager never signed: nothing of them is taken (spec: INBOX-12). */
  readonly contradicting: readonly string[];
  /** Streams with a gap, as `device/stream`: what follows it waits. */
  readonly gaps: readonly string[];
}

type Outcome = "done" | "held" | "refused" | "gap" | "known" | "ended" | "contradicting";

/**
 * Takes everything that the edge shows, in one pass and bounded memory, in whatever order it shows it. Whatever devices report, it
 * goes on: the next head tells them (spec: INBOX-12).
 */
export async function takeInbox(env: InboxEnvironment): Promise<InboxTaken> {
  const counts = { done: 0, held: 0, refused: 0, ignored: 0 };
  const waiting = new Waiting<Genuine>();
  const contradicting = new Set<string>();
  for await (const read of readInbox(env)) {
    if (read === null) counts.ignored++;
    for (let next = read; next !== null; next = waiting.follower(next)) {
      const outcome = await takeOne(env, next);
      if (outcome === "gap") {
        waiting.add(next);
        break;
      }
      if (outcome === "contradicting") contradicting.add(streamName(next.submission));
      else if (outcome !== "known" && outcome !== "ended") counts[outcome]++;
    }
  }
  // What follows one that is not taken waits with it: nothing is missing there.
  const gaps = waiting.streams().filter((stream) => !contradicting.has(stream));
  for (const stream of gaps) {
    const text =
      `The edge does not show everything of the stream ${stream} (device/stream): what follows the gap waits`;
    await raiseAlarm(env.db, "withheld", text, env.now());
  }
  return { ...counts, contradicting: [...contradicting], gaps };
}

async function takeOne(env: InboxEnvironment, signed: Genuine): Promise<Outcome> {
  const { submission, from } = signed;
  const { device, stream: id } = submission;
  const stream = await findStream(env.db, device, id);
  const place = judgePlace(stream, signed);
  if (place === "known" || place === "ended") return place;
  const incarnation = await readBytes(env.db, META.incarnation);
  const isOfThisLife = equalBytes(submission.incarnation, incarnation);
  // What another copy took is missing here: what follows it tells of the fork all the same.
  if (isOfThisLife && from.state !== "revoked" && await isOfFork(env, signed)) return "contradicting";
  if (place === "broken") {
    await endStream(env.db, { device, stream: id }, env.now());
    const text = `The stream ${toHex(id)} of the device '${from.name}' does not chain; it was ended`;
    await raiseAlarm(env.db, "tampered", text, env.now());
    return "ended";
  }
  if (place !== "next") return place;
  // Whoever stole it can still sign: nothing that it says counts from the moment of its revocation on.
  if (from.state === "revoked") {
    return await processSubmission(env, signed, { kind: "unusable", reason: "Its device was revoked" });
  }
  const opened = await openSubmission(env, signed, incarnation);
  return opened.kind === "incomplete" ? "gap" : await processSubmission(env, signed, opened);
}

/** Whether the device saw a head that this manager never signed, and the owner has not cleared: then every head to come says so. */
// spec: INBOX-12
async function isOfFork({ db, now }: InboxEnvironment, { submission, from }: Genuine): Promise<boolean> {
  const { generation, head: hash } = submission.seen;
  if (await judgeSeen(db, { generation, hash }) !== "fork") return false;
  await recordFork(db, { generation, hash }, now());
  const text =
    `The device '${from.name}' saw a head of generation ${generation} that this manager never signed: a copy of it runs ` +
    "elsewhere, somebody has its key, this is an old copy, or the device lies. What it handed in waits, and every device is " +
    "told. Compare heads (postern head compare), end the copy or revoke the device, and then: postern alarm clear --forks";
  await raiseAlarm(db, "forked", text, now());
  return true;
}

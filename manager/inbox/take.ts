/** Takes submissions from the edge: each checked, each processed once, in the order of its stream (spec: INBOX-07, INBOX-08). */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import type { SignedSubmission } from "../../shared/protocol/submission.ts";
import type { EdgeLink } from "../edge/link.ts";
import { findHead } from "../heads/repository.ts";
import { META, readBytes } from "../store/meta.ts";
import type { DevicesTable } from "../store/schema.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { judgePlace } from "./judge.ts";
import { openSubmission } from "./open.ts";
import { processSubmission } from "./process.ts";
import { readInbox } from "./read.ts";
import { endStream, findStream } from "./streams.ts";
import { Waiting } from "./waiting.ts";

/** What taking the inbox needs from outside. */
export interface InboxEnvironment {
  readonly db: Database;
  readonly link: Pick<EdgeLink, "inboxPage" | "inboxPart">;
  /** Millis. */
  readonly now: () => number;
}

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
  /** Streams with a gap, as `device/stream`: what follows it waits. */
  readonly gaps: readonly string[];
}

/** A submission that a device of the owner's signed. */
export interface Genuine extends SignedSubmission {
  readonly from: DevicesTable;
}

type Outcome = "done" | "held" | "refused" | "gap" | "known" | "ended";

/**
 * Takes everything that the edge shows, in one pass and bounded memory, in whatever order it shows it.
 *
 * @throws `forked` when a device saw a head that this manager never signed (spec: INBOX-12)
 */
export async function takeInbox(env: InboxEnvironment): Promise<InboxTaken> {
  const counts = { done: 0, held: 0, refused: 0, ignored: 0 };
  const waiting = new Waiting<Genuine>();
  for await (const read of readInbox(env)) {
    if (read === null) counts.ignored++;
    for (let next = read; next !== null; next = waiting.follower(next)) {
      const outcome = await takeOne(env, next);
      if (outcome === "gap") {
        waiting.add(next);
        break;
      }
      if (outcome !== "known" && outcome !== "ended") counts[outcome]++;
    }
  }
  const gaps = waiting.streams();
  for (const stream of gaps) {
    const text =
      `The edge does not show everything of the stream ${stream} (device/stream): what follows the gap waits`;
    await raiseAlarm(env.db, "withheld", text, env.now());
  }
  return { ...counts, gaps };
}

async function takeOne(env: InboxEnvironment, signed: Genuine): Promise<Outcome> {
  const { submission, from } = signed;
  const { device, stream: id } = submission;
  const stream = await findStream(env.db, device, id);
  const place = judgePlace(stream, signed);
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
  const incarnation = await readBytes(env.db, META.incarnation);
  if (equalBytes(submission.incarnation, incarnation)) await requireOwnHead(env.db, signed);
  const opened = await openSubmission(env, signed, incarnation);
  return opened.kind === "incomplete" ? "gap" : await processSubmission(env, signed, opened);
}

/** What the device saw must be what this manager signed (spec: INBOX-12). */
async function requireOwnHead(db: Database, { submission, from }: Genuine): Promise<void> {
  const { generation, head } = submission.seen;
  const own = await findHead(db, generation);
  if (own !== null && equalBytes(own.hash, head)) return;
  throw new PosternError(
    "forked",
    `The device '${from.name}' saw a head of generation ${generation} that this database did not sign: another copy of this ` +
      "manager runs, or it is an old one. Nothing is signed until that is settled; if it is the device that lies, revoke it",
  );
}

/** Takes submissions from the edge: each checked, each processed once, in the order of its stream (spec: INBOX-07, INBOX-08). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { requireSignature } from "../../shared/protocol/signed.ts";
import { decodeSignedSubmission, type SignedSubmission } from "../../shared/protocol/submission.ts";
import { findDevice } from "../devices/repository.ts";
import type { EdgeLink } from "../edge/link.ts";
import { findHead } from "../heads/repository.ts";
import { META, readBytes } from "../store/meta.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { judgePlace } from "./judge.ts";
import { openSubmission } from "./open.ts";
import { processSubmission } from "./process.ts";
import { endStream, findStream } from "./streams.ts";

/** What taking the inbox needs from outside. */
export interface InboxEnvironment {
  readonly db: Database;
  readonly link: EdgeLink;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
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
  /** Streams with a gap: what follows it waits. */
  readonly gaps: readonly string[];
}

/**
 * Takes everything that the edge shows.
 *
 * @throws `forked` when a device saw a head that this manager never signed (spec: INBOX-12)
 */
export async function takeInbox(env: InboxEnvironment): Promise<InboxTaken> {
  const owner = await readBytes(env.db, META.owner);
  const { waiting, ignored } = await readAll(env, owner);
  const counts = { done: 0, held: 0, refused: 0 };
  const gaps = new Set<string>();
  for (const signed of inStreamOrder(waiting)) {
    const outcome = await takeOne(env, signed);
    if (outcome === "gap") gaps.add(`${toHex(signed.submission.device)}/${toHex(signed.submission.stream)}`);
    else if (outcome !== "known" && outcome !== "ended") counts[outcome]++;
  }
  return { ...counts, ignored, gaps: [...gaps] };
}

/** All submissions that are well formed, of this owner, and signed by a device that is or was the owner's. */
async function readAll(
  { db, link, now }: InboxEnvironment,
  owner: Bytes,
): Promise<{ waiting: SignedSubmission[]; ignored: number }> {
  const waiting: SignedSubmission[] = [];
  let ignored = 0;
  let after = 0;
  while (true) {
    const page = await link.inboxPage(after);
    for (const [, bytes] of page.entries) {
      const signed = await readOne(db, bytes, owner);
      if (signed === null) ignored++;
      else waiting.push(signed);
    }
    if (page.next === null) break;
    if (page.next <= after) throw new PosternError("tampered", "The edge's inbox does not end");
    after = page.next;
  }
  if (ignored > 0) {
    await raiseAlarm(db, "tampered", "The edge's inbox holds submissions that no device of yours signed", now());
  }
  return { waiting, ignored };
}

async function readOne(db: Database, bytes: Bytes, owner: Bytes): Promise<SignedSubmission | null> {
  try {
    const signed = decodeSignedSubmission(bytes);
    const device = await findDevice(db, signed.submission.device);
    if (device === null || !equalBytes(signed.submission.owner, owner)) return null;
    await requireSignature(device.public_key, signed.signature, signed.bytes, "submission");
    return signed;
  } catch (error) {
    if (isPosternError(error, "malformed") || isPosternError(error, "tampered") || isPosternError(error, "too_large")) {
      return null;
    }
    throw error;
  }
}

async function takeOne(
  env: InboxEnvironment,
  signed: SignedSubmission,
): Promise<"done" | "held" | "refused" | "gap" | "known" | "ended"> {
  const { submission } = signed;
  const stream = await findStream(env.db, submission.device, submission.stream);
  const place = judgePlace(stream, signed);
  if (place === "broken" && stream !== null) {
    const name = toHex(submission.stream).slice(0, 8);
    await env.db.execute(endStream(stream, env.now()));
    await raiseAlarm(env.db, "tampered", `The stream ${name} of a device does not chain; it was ended`, env.now());
    return "ended";
  }
  if (place !== "next") return place === "broken" ? "gap" : place;
  const incarnation = await readBytes(env.db, META.incarnation);
  if (equalBytes(submission.incarnation, incarnation)) await requireOwnHead(env.db, signed);
  const opened = await openSubmission(env, signed, incarnation);
  return opened.kind === "incomplete" ? "gap" : await processSubmission(env, signed, opened);
}

/** What the device saw must be what this manager signed (spec: INBOX-12). */
async function requireOwnHead(db: Database, { submission }: SignedSubmission): Promise<void> {
  const { generation, head } = submission.seen;
  const own = await findHead(db, generation);
  if (own !== null && equalBytes(own.hash, head)) return;
  throw new PosternError(
    "forked",
    `A device saw a head of generation ${generation} that this database did not sign: another copy of this manager runs, ` +
      "or it is an old one. Nothing is signed until that is settled",
  );
}

/** Streams in any order, each stream by number. */
function inStreamOrder(waiting: readonly SignedSubmission[]): SignedSubmission[] {
  return [...waiting].sort((a, b) => a.submission.number - b.submission.number);
}

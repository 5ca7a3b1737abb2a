/** The effect of a submission, and the step of its stream, in one atomic batch (spec: INBOX-07). */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Statement } from "../../shared/database/database.ts";
import { query } from "../../shared/database/query.ts";
import { LIMITS } from "../../shared/limits.ts";
import { encodeReceipt, type Outcome } from "../../shared/protocol/records.ts";
import type { SignedSubmission } from "../../shared/protocol/submission.ts";
import type { SubmissionPayload } from "../../shared/protocol/submission_payload.ts";
import { prepareCertificate } from "../certificates/repository.ts";
import { judgeCertificate } from "../certificates/trust.ts";
import { prepareMessage } from "../messages/add.ts";
import { queueOutgoing } from "../messages/outgoing.ts";
import { hasMessage } from "../messages/read.ts";
import { putEntry } from "../store/entries.ts";
import { retryConflicts } from "../store/retry.ts";
import type { SubmissionsTable } from "../store/schema.ts";
import { tables } from "../store/tables.ts";
import type { InboxEnvironment } from "./environment.ts";
import type { Opened } from "./open.ts";
import { refusalOf } from "./problems.ts";
import { advanceStream } from "./streams.ts";

type Usable = Exclude<Opened, { kind: "incomplete" }>;

interface Effect {
  readonly kind: string;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly statements: readonly Statement<unknown>[];
}

const record = query((p: SubmissionsTable & Record<string, string | number | Bytes>) =>
  tables.insertInto("submissions").values({
    ...{ device: p.device, stream: p.stream, number: p.number, hash: p.hash, kind: p.kind, outcome: p.outcome },
    ...{ detail: p.detail, taken: p.taken },
  })
);

/** Takes the next submission of a stream: effect, record, receipt and acknowledgement together or not at all. */
export async function processSubmission(
  env: InboxEnvironment,
  signed: SignedSubmission,
  opened: Usable,
): Promise<Outcome> {
  if (opened.kind === "unusable") return await take(env, signed, refused("unknown", opened.reason));
  try {
    return await retryConflicts(async () => await take(env, signed, await effectOf(env, signed, opened)));
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === null) throw error;
    return await take(env, signed, refused(opened.payload.kind, reason));
  }
}

// spec: ROW-14
async function take({ db, now }: InboxEnvironment, signed: SignedSubmission, effect: Effect): Promise<Outcome> {
  const { kind, outcome, detail, statements } = effect;
  const { device, stream, number } = signed.submission;
  const { hash } = signed;
  const taken = now();
  const text = detail.slice(0, LIMITS.maxNoteChars).toWellFormed();
  await db.batch([
    ...statements,
    record.bind({ device, stream, number, hash, kind, outcome, detail, taken }),
    putEntry(
      { kind: "receipt", name: concat(device, stream) },
      number,
      encodeReceipt({ device, stream, number, submission: hash, outcome, text }),
    ),
    advanceStream({ device, stream, number, hash }, taken),
  ]);
  return outcome;
}

async function effectOf(
  env: InboxEnvironment,
  signed: SignedSubmission,
  { payload, raw, isHeld }: Extract<Usable, { kind: "opened" }>,
): Promise<Effect> {
  switch (payload.kind) {
    case "ping":
      return { kind: "ping", outcome: "done", detail: "", statements: [] };
    case "certificate":
      return await certificateEffect(env, payload, isHeld);
    case "message":
      return raw === null
        ? refused("message", "It has no bytes")
        : await messageEffect(env, signed, payload.channel, raw, isHeld);
  }
}

/** A certificate becomes usable or waits for review, by policy (design, "Inbox"). */
async function certificateEffect(
  { db, now }: InboxEnvironment,
  { der, note }: Extract<SubmissionPayload, { kind: "certificate" }>,
  isHeld: boolean,
): Promise<Effect> {
  const verdict = await judgeCertificate(db, der, now());
  const { certificate } = verdict;
  if (certificate === undefined) return refused("certificate", verdict.status === "usable" ? "" : verdict.message);
  // What was decided about it before the restore may be lost (spec: BACKUP-15).
  const isReviewed = isHeld && verdict.status === "usable";
  const status = isReviewed ? "waiting" : verdict.status;
  const reason = isReviewed ? "handed in before the restore" : verdict.status === "usable" ? "" : verdict.message;
  const judged = { certificate, status, reason, origin: "device", note, isAnchor: false, isHeld: isReviewed } as const;
  const statements = await prepareCertificate(db, judged, now());
  const detail = statements === null ? "known before" : status;
  return { kind: "certificate", outcome: "done", detail, statements: statements ?? [] };
}

/** A message goes into its channel and into the queue; its id follows from its place, so that it is made only once. */
async function messageEffect(
  { db, now }: InboxEnvironment,
  signed: SignedSubmission,
  channel: string,
  raw: Bytes,
  isHeld: boolean,
): Promise<Effect> {
  const id = sha256(signed.hash).slice(0, 16);
  // An earlier life took it, and its message came back from the edge, but no head acknowledged it (spec: BACKUP-18, HEAD-06).
  if (await hasMessage(db, id)) return { kind: "message", outcome: "held", detail: channel, statements: [] };
  const { statements } = await prepareMessage(db, { channel, direction: "out", raw }, id, now());
  const queued = queueOutgoing(id, signed.submission.device, isHeld ? "held" : "queued", now());
  return { kind: "message", outcome: isHeld ? "held" : "done", detail: channel, statements: [...statements, queued] };
}

function refused(kind: string, detail: string): Effect {
  return { kind, outcome: "refused", detail, statements: [] };
}

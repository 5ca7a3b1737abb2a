/** Opens what a device sealed to the manager, parts included. */
import { type Bytes, concat, equalBytes } from "../../shared/bytes/bytes.ts";
import { unpad } from "../../shared/bytes/padding.ts";
import { importAeadKey } from "../../shared/crypto/aead.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { openHpke } from "../../shared/crypto/hpke.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { inboxSealInfo, type SignedSubmission, type Submission } from "../../shared/protocol/submission.ts";
import { decodePayload, openPart, type SubmissionPayload } from "../../shared/protocol/submission_payload.ts";
import { inboxKey } from "../owner/keys.ts";
import { findStatement } from "../owner/statement.ts";
import type { InboxEnvironment } from "./environment.ts";
import { partSizes, requireShape } from "./message_shape.ts";
import { refusalOf } from "./problems.ts";

type MessagePayload = Extract<SubmissionPayload, { kind: "message" }>;

/** What is in a submission, or why it cannot be used. */
export type Opened =
  | {
    readonly kind: "opened";
    readonly payload: SubmissionPayload;
    readonly raw: Bytes | null;
    readonly isHeld: boolean;
  }
  | { readonly kind: "unusable"; readonly reason: string }
  /** The edge does not show its parts as they were handed in: it waits, and its stream with it. */
  | { readonly kind: "incomplete" };

/**
 * Opens a submission that is well signed and next in its stream.
 *
 * @returns `raw` is the whole message of a message, null for other payloads; `isHeld` for one of an older incarnation
 */
export async function openSubmission(
  env: InboxEnvironment,
  { submission }: SignedSubmission,
  incarnation: Bytes,
): Promise<Opened> {
  try {
    const payload = await openPayload(env, submission);
    const raw = payload.kind === "message" ? await wholeMessage(env, submission, payload) : null;
    return { kind: "opened", payload, raw, isHeld: !equalBytes(submission.incarnation, incarnation) };
  } catch (error) {
    if (isPosternError(error, "withheld")) return { kind: "incomplete" };
    const reason = refusalOf(error);
    if (reason === null) throw error;
    return { kind: "unusable", reason };
  }
}

async function openPayload({ db }: InboxEnvironment, submission: Submission): Promise<SubmissionPayload> {
  const statement = await findStatement(db, submission.statement);
  // spec: INBOX-08: one of an older incarnation is sealed under a statement of that incarnation.
  if (statement === null || !equalBytes(statement.incarnation, submission.incarnation)) {
    throw new PosternError("not_found", "It is sealed under an owner statement or incarnation that is not ours");
  }
  const key = await inboxKey(db, statement.inboxKey);
  return decodePayload(unpad(await openHpke("xwing", key, inboxSealInfo(submission), submission.sealed)));
}

/** The bytes of a message, inline or from its parts, checked against what the device said of them (spec: INBOX-02). */
async function wholeMessage(
  { link }: InboxEnvironment,
  submission: Submission,
  payload: MessagePayload,
): Promise<Bytes> {
  requireShape(payload, submission.parts.length);
  const raw = payload.inline ?? concat(...await openParts(link, submission, payload));
  if (raw.length !== payload.size || !equalBytes(sha256(raw), payload.sha256)) {
    throw new PosternError("tampered", "The message is not the one that its submission names");
  }
  return raw;
}

async function openParts(
  link: InboxEnvironment["link"],
  submission: Submission,
  { size, partKey }: MessagePayload,
): Promise<Bytes[]> {
  if (partKey === null) throw new PosternError("malformed", "The message is neither inline nor in parts");
  const key = await importAeadKey(partKey);
  const sizes = partSizes(size);
  const parts: Bytes[] = [];
  for (const [index, named] of submission.parts.entries()) {
    const part = await openPart(key, { ...submission, index, count: sizes.length }, await fetchPart(link, named));
    if (part.length !== sizes[index]) throw new PosternError("malformed", "A part of the message has another size");
    parts.push(part);
  }
  return parts;
}

/** @throws `withheld` when the edge shows another part than the submission names, or none */
async function fetchPart(
  link: InboxEnvironment["link"],
  { hash, size }: Submission["parts"][number],
): Promise<Bytes> {
  let part: Bytes;
  try {
    part = await link.inboxPart(hash);
  } catch (error) {
    // Whatever an edge answers instead of a part, it is not the device's fault.
    if (refusalOf(error) === null) throw error;
    throw new PosternError("withheld", "The edge lost a part of a submission that it accepted", { cause: error });
  }
  if (part.length === size && equalBytes(sha256(part), hash)) return part;
  throw new PosternError("withheld", "The edge shows another part than the submission names");
}

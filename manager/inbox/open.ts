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
import type { InboxEnvironment } from "./take.ts";

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
    const isContent = ["malformed", "tampered", "unsupported", "too_large", "not_found"].some((code) =>
      isPosternError(error, code as "malformed")
    );
    if (!isContent || !(error instanceof PosternError)) throw error;
    return { kind: "unusable", reason: error.message };
  }
}

async function openPayload({ db }: InboxEnvironment, submission: Submission): Promise<SubmissionPayload> {
  const statement = await findStatement(db, submission.statement);
  if (statement === null) throw new PosternError("not_found", "It is sealed under an owner statement that is not ours");
  const key = await inboxKey(db, statement.inboxKey);
  return decodePayload(unpad(await openHpke("xwing", key, inboxSealInfo(submission), submission.sealed)));
}

/** The bytes of a message, inline or from its parts, checked against what the device said of them (spec: INBOX-02). */
async function wholeMessage(
  { link }: InboxEnvironment,
  submission: Submission,
  payload: Extract<SubmissionPayload, { kind: "message" }>,
): Promise<Bytes> {
  const raw = payload.inline ?? concat(...await openParts(link, submission, payload.partKey));
  if (raw.length !== payload.size || !equalBytes(sha256(raw), payload.sha256)) {
    throw new PosternError("tampered", "The message is not the one that its submission names");
  }
  return raw;
}

async function fetchPart(link: InboxEnvironment["link"], hash: Bytes): Promise<Bytes> {
  try {
    return await link.inboxPart(hash);
  } catch (error) {
    if (!isPosternError(error, "not_found")) throw error;
    throw new PosternError("withheld", "The edge lost a part of a submission that it accepted", { cause: error });
  }
}

async function openParts(
  link: InboxEnvironment["link"],
  submission: Submission,
  partKey: Bytes | null,
): Promise<Bytes[]> {
  if (partKey === null) throw new PosternError("malformed", "The message is neither inline nor in parts");
  const key = await importAeadKey(partKey);
  const count = submission.parts.length;
  const parts: Bytes[] = [];
  for (const [index, { hash, size }] of submission.parts.entries()) {
    const part = await fetchPart(link, hash);
    if (part.length !== size || !equalBytes(sha256(part), hash)) {
      throw new PosternError("withheld", "The edge shows another part than the submission names");
    }
    parts.push(await openPart(key, { ...submission, index, count }, part));
  }
  return parts;
}

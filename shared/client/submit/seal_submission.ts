/** Makes the bytes of a submission: parts, payload, seal, copy, signature (shared/spec/inbox.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { pad } from "../../bytes/padding.ts";
import { importAeadKey } from "../../crypto/aead.ts";
import { sha256 } from "../../crypto/hash.ts";
import { sealHpke } from "../../crypto/hpke.ts";
import type { RandomBytes } from "../../crypto/random.ts";
import { LIMITS } from "../../limits.ts";
import type { Signer } from "../../protocol/signed.ts";
import {
  encodeSubmission,
  inboxSealInfo,
  sealCopy,
  signSubmission,
  submissionHash,
  type SubmissionPlace,
} from "../../protocol/submission.ts";
import { encodePayload, sealPart, type SubmissionPayload } from "../../protocol/submission_payload.ts";
import type { Draft } from "./draft.ts";
import type { View } from "../verify/view.ts";

/** A submission ready to be kept and sent. */
export interface SealedSubmission {
  readonly signed: Bytes;
  readonly hash: Bytes;
  /** Encrypted parts, in order. */
  readonly parts: readonly Bytes[];
}

/**
 * Seals a draft for the manager that the view's statement names, in the view's epoch, and signs it.
 *
 * @param place where it stands in its stream
 * @param previous hash of the submission before it
 * @param now Millis
 */
export async function sealSubmission(
  draft: Draft,
  view: View,
  place: SubmissionPlace,
  previous: Bytes | null,
  sign: Signer,
  now: number,
  random: RandomBytes,
): Promise<SealedSubmission> {
  const { payload, parts } = await makePayload(draft, place, random);
  const encoded = encodePayload(payload);
  const sealed = await sealHpke("xwing", view.statement.inboxKey, inboxSealInfo(place), pad(encoded));
  const submission = encodeSubmission({
    ...{ ...place, previous, statement: view.statement.number, epoch: view.keys.epoch, time: now, sealed },
    seen: { generation: view.head.head.generation, head: view.head.hash },
    parts: parts.map((bytes) => ({ hash: sha256(bytes), size: bytes.length })),
    // Only what the owner's other devices should see at once is sealed for them too.
    copy: draft.kind === "certificate" ? await sealCopy(view.keys, place, encoded, random) : null,
  });
  return { signed: await signSubmission(submission, sign), hash: submissionHash(submission), parts };
}

async function makePayload(
  draft: Draft,
  place: SubmissionPlace,
  random: RandomBytes,
): Promise<{ payload: SubmissionPayload; parts: readonly Bytes[] }> {
  if (draft.kind !== "message") return { payload: draft, parts: [] };
  const { channel, date, raw } = draft;
  const about = { kind: "message", channel, date, size: raw.length, sha256: sha256(raw) } as const;
  if (raw.length <= LIMITS.inlineSubmissionBytes) {
    return { payload: { ...about, inline: raw, partKey: null }, parts: [] };
  }
  const partKey = random(32);
  return { payload: { ...about, inline: null, partKey }, parts: await sealParts(raw, partKey, place) };
}

// spec: INBOX-02
async function sealParts(raw: Bytes, partKey: Bytes, place: SubmissionPlace): Promise<Bytes[]> {
  const key = await importAeadKey(partKey);
  const count = Math.ceil(raw.length / LIMITS.messagePartBytes);
  const parts: Bytes[] = [];
  for (let index = 0; index < count; index++) {
    const start = index * LIMITS.messagePartBytes;
    parts.push(await sealPart(key, { ...place, index, count }, raw.slice(start, start + LIMITS.messagePartBytes)));
  }
  return parts;
}

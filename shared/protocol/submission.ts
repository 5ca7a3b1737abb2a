/** Submissions: what a device hands in, sealed to the manager (shared/spec/inbox.md). */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { pad, unpad } from "../bytes/padding.ts";
import { openAead, sealAead } from "../crypto/aead.ts";
import { sha256 } from "../crypto/hash.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { LIMITS } from "../limits.ts";
import type { EpochKeys } from "./epoch_keys.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, uint } from "./shapes.ts";
import type { Signer } from "./signed.ts";

const sealedBytes = bytesUpTo(LIMITS.maxSubmissionBytes, 16);

const submissionTuple = v.strictTuple([
  label(LABELS.submission),
  bytesOf(32),
  bytesOf(16),
  bytesOf(16),
  bytesOf(16),
  positive,
  v.nullable(bytesOf(32)),
  positive,
  positive,
  v.strictTuple([positive, bytesOf(32)]),
  uint,
  v.strictTuple([bytesUpTo(LIMITS.maxEncapsulatedBytes), sealedBytes]),
  v.pipe(v.array(v.strictTuple([bytesOf(32), positive])), v.maxLength(LIMITS.maxSubmissionParts)),
  v.nullable(v.strictTuple([bytesOf(12), sealedBytes])),
]);

const signedTuple = v.strictTuple([
  bytesUpTo(LIMITS.maxSubmissionBytes, 1),
  bytesUpTo(LIMITS.maxSignatureBytes, 1),
]);

/** Where a submission stands: the stream of a device, and the number in it. */
export interface SubmissionPlace {
  readonly owner: Bytes;
  readonly incarnation: Bytes;
  readonly device: Bytes;
  readonly stream: Bytes;
  readonly number: number;
}

/** The fields of a submission, as in shared/spec/inbox.md. */
export interface Submission extends SubmissionPlace {
  readonly previous: Bytes | null;
  /** Number of the owner statement whose inbox key the payload is sealed to. */
  readonly statement: number;
  readonly epoch: number;
  readonly seen: { readonly generation: number; readonly head: Bytes };
  /** Millis, by the device's clock. */
  readonly time: number;
  readonly sealed: { readonly encapsulated: Bytes; readonly ciphertext: Bytes };
  readonly parts: readonly { readonly hash: Bytes; readonly size: number }[];
  readonly copy: { readonly nonce: Bytes; readonly ciphertext: Bytes } | null;
}

/** A submission with its signature, taken apart; nothing is verified yet. */
export interface SignedSubmission {
  readonly submission: Submission;
  readonly bytes: Bytes;
  readonly signature: Bytes;
  readonly hash: Bytes;
}

export function encodeSubmission(s: Submission): Bytes {
  return encodeCbor([
    ...[LABELS.submission, s.owner, s.incarnation, s.device, s.stream, s.number, s.previous, s.statement, s.epoch],
    ...[[s.seen.generation, s.seen.head], s.time, [s.sealed.encapsulated, s.sealed.ciphertext]],
    s.parts.map(({ hash, size }) => [hash, size]),
    s.copy === null ? null : [s.copy.nonce, s.copy.ciphertext],
  ]);
}

function decodeSubmission(bytes: Bytes): Submission {
  const f = decodeAs(submissionTuple, bytes, "submission");
  return {
    ...{ owner: f[1], incarnation: f[2], device: f[3], stream: f[4], number: f[5], previous: f[6] },
    ...{ statement: f[7], epoch: f[8], seen: { generation: f[9][0], head: f[9][1] }, time: f[10] },
    sealed: { encapsulated: f[11][0], ciphertext: f[11][1] },
    parts: f[12].map(([hash, size]) => ({ hash, size })),
    copy: f[13] === null ? null : { nonce: f[13][0], ciphertext: f[13][1] },
  };
}

/** The name of a submission in chains and acknowledgements (spec: INBOX-01). */
export function submissionHash(submission: Bytes): Bytes {
  return sha256(encodeCbor([LABELS.submissionHash, submission]));
}

export async function signSubmission(submission: Bytes, sign: Signer): Promise<Bytes> {
  return encodeCbor([submission, await sign(submission)]);
}

/** Takes a signed submission apart. @throws `malformed`, `too_large` */
export function decodeSignedSubmission(signed: Bytes): SignedSubmission {
  const [bytes, signature] = decodeAs(signedTuple, signed, "signed submission");
  return { submission: decodeSubmission(bytes), bytes, signature, hash: submissionHash(bytes) };
}

/** HPKE info that ties a sealed payload to its place. */
export function inboxSealInfo(p: SubmissionPlace): Bytes {
  return encodeCbor([LABELS.inboxSeal, p.owner, p.incarnation, p.device, p.stream, p.number]);
}

/** Seals a payload under the epoch for the owner's other devices. */
export async function sealCopy(
  keys: EpochKeys,
  place: SubmissionPlace,
  payload: Bytes,
  random: RandomBytes,
): Promise<NonNullable<Submission["copy"]>> {
  const nonce = random(12);
  return { nonce, ciphertext: await sealAead(keys.inboxCopy, nonce, pad(payload), copyData(keys, place)) };
}

/** Opens another device's copy. @throws `tampered` */
export async function openCopy(
  keys: EpochKeys,
  place: SubmissionPlace,
  copy: NonNullable<Submission["copy"]>,
): Promise<Bytes> {
  return unpad(await openAead(keys.inboxCopy, copy.nonce, copy.ciphertext, copyData(keys, place)));
}

function copyData(keys: EpochKeys, p: SubmissionPlace): Bytes {
  return encodeCbor([LABELS.inboxCopy, keys.owner, keys.incarnation, keys.epoch, p.device, p.stream, p.number]);
}

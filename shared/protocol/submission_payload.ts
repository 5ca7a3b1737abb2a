/** What is inside a submission, and the encrypted parts of large messages (shared/spec/inbox.md). */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { pad, unpad } from "../bytes/padding.ts";
import { openAead, sealAead } from "../crypto/aead.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, textUpTo, uint } from "./shapes.ts";
import type { SubmissionPlace } from "./submission.ts";

const payloadTuple = v.union([
  v.strictTuple([
    v.literal("certificate"),
    bytesUpTo(LIMITS.maxCertificateBytes, 1),
    textUpTo(LIMITS.maxNoteChars),
  ]),
  v.strictTuple([
    v.literal("message"),
    textUpTo(LIMITS.maxChannelBytes, 1),
    v.nullable(uint),
    v.pipe(uint, v.maxValue(LIMITS.maxMessageBytes)),
    bytesOf(32),
    v.nullable(bytesUpTo(LIMITS.inlineSubmissionBytes)),
    v.nullable(bytesOf(32)),
  ]),
  v.strictTuple([v.literal("ping"), bytesOf(32)]),
]);

/** What a device hands in. */
export type SubmissionPayload =
  | { readonly kind: "certificate"; readonly der: Bytes; readonly note: string }
  | {
    readonly kind: "message";
    readonly channel: string;
    /** Millis, or null. */
    readonly date: number | null;
    readonly size: number;
    readonly sha256: Bytes;
    /** The whole message, or null when it is in parts. */
    readonly inline: Bytes | null;
    /** AES-256-GCM key of the parts, of this one message alone. */
    readonly partKey: Bytes | null;
  }
  | { readonly kind: "ping"; readonly nonce: Bytes };

export function encodePayload(p: SubmissionPayload): Bytes {
  switch (p.kind) {
    case "certificate":
      return encodeCbor([p.kind, p.der, p.note]);
    case "message":
      return encodeCbor([p.kind, p.channel, p.date, p.size, p.sha256, p.inline, p.partKey]);
    case "ping":
      return encodeCbor([p.kind, p.nonce]);
  }
}

/** @throws `malformed` */
export function decodePayload(bytes: Bytes): SubmissionPayload {
  const f = decodeAs(payloadTuple, bytes, "payload of a submission");
  switch (f[0]) {
    case "certificate":
      return { kind: f[0], der: f[1], note: f[2] };
    case "message":
      return { kind: f[0], channel: f[1], date: f[2], size: f[3], sha256: f[4], inline: f[5], partKey: f[6] };
    case "ping":
      return { kind: f[0], nonce: f[1] };
  }
}

/** Part `index` of `count` of a submitted message: place and position are authenticated with it. */
export interface PartPlace extends SubmissionPlace {
  readonly index: number;
  readonly count: number;
}

/** Seals one part. The nonce is its index: safe, because the key is fresh for each message (spec: INBOX-02). */
export function sealPart(key: CryptoKey, place: PartPlace, bytes: Bytes): Promise<Bytes> {
  return sealAead(key, partNonce(place.index), pad(bytes), partData(place));
}

/** Opens one part. @throws `tampered` */
export async function openPart(key: CryptoKey, place: PartPlace, ciphertext: Bytes): Promise<Bytes> {
  return unpad(await openAead(key, partNonce(place.index), ciphertext, partData(place)));
}

function partNonce(index: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(8, index);
  return nonce;
}

function partData(p: PartPlace): Bytes {
  return encodeCbor([LABELS.inboxPart, p.owner, p.device, p.stream, p.number, p.index, p.count]);
}

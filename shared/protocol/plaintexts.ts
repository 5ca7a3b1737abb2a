/** What is inside the rows: typed plaintexts and their strict codec (shared/spec/rows.md, "Plaintexts"). */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { sha256 } from "../crypto/hash.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, textUpTo, uint } from "./shapes.ts";
import { LIST_TABLE, type ListKind } from "./tables.ts";
import type { ListName } from "./token.ts";

const certificateDer = bytesUpTo(LIMITS.maxCertificateBytes, 1);
const channelName = textUpTo(LIMITS.maxChannelBytes, 1);
const time = v.pipe(v.number(), v.safeInteger());

const deviceTuple = v.strictTuple([
  v.literal("device"),
  bytesOf(16),
  positive,
  textUpTo(LIMITS.maxDeviceNameChars, 1),
  bytesUpTo(LIMITS.maxSpkiBytes, 1),
  v.nullable(certificateDer),
  textUpTo(32, 1),
  v.nullable(bytesUpTo(LIMITS.maxKemPublicKeyBytes, 1)),
  time,
]);
const certificateTuple = v.strictTuple([
  v.literal("certificate"),
  certificateDer,
  v.picklist([0, 1, 2] as const),
  time,
  v.picklist(["owner", "import", "device", "runtime"] as const),
  textUpTo(LIMITS.maxNoteChars),
  v.boolean(),
  textUpTo(LIMITS.maxNoteChars),
]);
const channelTuple = v.strictTuple([v.literal("channel"), channelName, time]);
const messageTuple = v.strictTuple([
  v.literal("message"),
  bytesOf(16),
  channelName,
  positive,
  v.picklist(["in", "out"] as const),
  v.nullable(time),
  time,
  v.pipe(uint, v.maxValue(LIMITS.maxMessageBytes)),
  bytesOf(32),
  v.strictTuple([
    textUpTo(LIMITS.maxSummaryChars),
    textUpTo(LIMITS.maxSummaryChars),
    textUpTo(LIMITS.maxSummaryChars),
  ]),
  v.pipe(uint, v.maxValue(Math.ceil(LIMITS.maxMessageBytes / LIMITS.messagePartBytes))),
  v.nullable(bytesUpTo(LIMITS.inlineMessageBytes)),
]);
const partTuple = v.strictTuple([
  v.literal("part"),
  bytesOf(16),
  uint,
  bytesUpTo(LIMITS.messagePartBytes),
]);

/** A device of the owner's, as its other devices see it. */
export interface DeviceContent {
  readonly id: Bytes;
  readonly registration: number;
  readonly name: string;
  /** DER SubjectPublicKeyInfo of the key it signs with. */
  readonly publicKey: Bytes;
  readonly certificate: Bytes | null;
  readonly suite: string;
  readonly kemPublicKey: Bytes | null;
  /** Millis. */
  readonly added: number;
}

/** A certificate with the owner's judgement of it. */
export interface CertificateContent {
  readonly der: Bytes;
  /** 0 blocked, 1 usable, 2 waiting for review (spec: ROW-08). */
  readonly status: 0 | 1 | 2;
  readonly added: number;
  readonly origin: "owner" | "import" | "device" | "runtime";
  readonly note: string;
  /** Whether the owner trusts it to vouch for others, as long as it is usable. */
  readonly isAnchor: boolean;
  /** Why it is not usable, or empty. */
  readonly reason: string;
}

/** A channel of messages. */
export interface ChannelContent {
  readonly name: string;
  readonly created: number;
}

/** A message as it stands in its channel; its bytes are inline, or in `parts` rows of the list of its id. */
export interface MessageContent {
  readonly id: Bytes;
  readonly channel: string;
  readonly position: number;
  readonly direction: "in" | "out";
  /** The message's own date, Millis. */
  readonly date: number | null;
  readonly added: number;
  readonly size: number;
  readonly sha256: Bytes;
  readonly summary: { readonly from: string; readonly to: string; readonly subject: string };
  readonly parts: number;
  readonly inline: Bytes | null;
}

/** One part of a message that is too large to be inline. */
export interface PartContent {
  readonly message: Bytes;
  readonly index: number;
  readonly bytes: Bytes;
}

export function encodeDevice(d: DeviceContent): Bytes {
  return encodeCbor([
    ...["device", d.id, d.registration, d.name, d.publicKey, d.certificate, d.suite, d.kemPublicKey, d.added],
  ]);
}

export function decodeDevice(bytes: Bytes): DeviceContent {
  const [, id, registration, name, publicKey, certificate, suite, kemPublicKey, added] = decodeAs(
    deviceTuple,
    bytes,
    "device",
  );
  return { id, registration, name, publicKey, certificate, suite, kemPublicKey, added };
}

export function encodeCertificate(c: CertificateContent): Bytes {
  return encodeCbor(["certificate", c.der, c.status, c.added, c.origin, c.note, c.isAnchor, c.reason]);
}

export function decodeCertificate(bytes: Bytes): CertificateContent {
  const [, der, status, added, origin, note, isAnchor, reason] = decodeAs(
    certificateTuple,
    bytes,
    "certificate entry",
  );
  return { der, status, added, origin, note, isAnchor, reason };
}

export function encodeChannel(c: ChannelContent): Bytes {
  return encodeCbor(["channel", c.name, c.created]);
}

export function decodeChannel(bytes: Bytes): ChannelContent {
  const [, name, created] = decodeAs(channelTuple, bytes, "channel");
  return { name, created };
}

export function encodeMessage(m: MessageContent): Bytes {
  const { from, to, subject } = m.summary;
  return encodeCbor([
    ...["message", m.id, m.channel, m.position, m.direction, m.date, m.added, m.size, m.sha256],
    ...[[from, to, subject], m.parts, m.inline],
  ]);
}

export function decodeMessage(bytes: Bytes): MessageContent {
  const fields = decodeAs(messageTuple, bytes, "message");
  const [, id, channel, position, direction, date, added, size, hash, [from, to, subject], parts, inline] = fields;
  return {
    ...{ id, channel, position, direction, date, added, size },
    ...{ sha256: hash, summary: { from, to, subject }, parts, inline },
  };
}

export function encodePart(p: PartContent): Bytes {
  return encodeCbor(["part", p.message, p.index, p.bytes]);
}

export function decodePart(bytes: Bytes): PartContent {
  const [, message, index, data] = decodeAs(partTuple, bytes, "message part");
  return { message, index, bytes: data };
}

/** The content tree's leaf of a row: 40-byte key and 32-byte value, the same in every epoch (spec: TREE-05). */
export function contentLeaf(list: ListName, number: number, plaintext: Bytes): { key: Bytes; value: Bytes } {
  const table = LIST_TABLE[list.kind satisfies ListKind];
  const key = new Uint8Array(40);
  key.set(sha256(encodeCbor([LABELS.contentName, table, list.kind, list.name, number])));
  return { key, value: sha256(encodeCbor([LABELS.content, plaintext])) };
}

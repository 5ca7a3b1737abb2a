/** Random well-formed values of every protocol structure, boundaries included. */
import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Acknowledgement, compareAcks } from "../../../shared/protocol/acknowledgement.ts";
import type { RowContent } from "../../../shared/protocol/contents.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import type { PairingGrant } from "../../../shared/protocol/pairing.ts";
import type {
  CertificateContent,
  ChannelContent,
  DeviceContent,
  MessageContent,
  PartContent,
} from "../../../shared/protocol/plaintexts.ts";
import type { Change, ChangesContent, ReceiptContent } from "../../../shared/protocol/records.ts";
import type { DeviceExtra } from "../../../shared/protocol/row.ts";
import type { OwnerStatement } from "../../../shared/protocol/statement.ts";
import type { Submission } from "../../../shared/protocol/submission.ts";
import type { SubmissionPayload } from "../../../shared/protocol/submission_payload.ts";

/** With the prototype that object literals have, so that both compare as equal. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

/** Bytes of exactly this length. */
export function bytes(length: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((one) => new Uint8Array(one));
}

/** Bytes of these lengths. */
export function bytesBetween(minLength: number, maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength, maxLength }).map((one) => new Uint8Array(one));
}

/** Unicode text of at most so many UTF-16 code units. */
export function text(maxLength: number, minLength = 0): fc.Arbitrary<string> {
  return fc.string({ unit: "binary", maxLength: Math.min(maxLength, 24), minLength })
    .filter((one) => one.length <= maxLength && one.length >= minLength);
}

export const uint = fc.oneof(fc.nat(300), fc.maxSafeNat());
export const positive = uint.map((one) => Math.max(1, one));
const time = fc.oneof(fc.maxSafeInteger(), fc.nat());
const hash = bytes(32);
const id = bytes(16);
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

export const acknowledgements: fc.Arbitrary<Acknowledgement[]> = fc.uniqueArray(
  record({ device: id, stream: id, number: positive, hash }),
  { maxLength: 5, comparator: (a, b) => compareAcks(a, b) === 0 },
).map((acks) => acks.sort(compareAcks));

const tableState = record({ count: uint, root: hash });

export const head: fc.Arbitrary<Head> = record({
  owner: hash,
  statement: record({ number: positive, hash }),
  incarnation: id,
  epoch: positive,
  commitment: hash,
  generation: positive,
  previous: nullable(hash),
  history: record({ size: uint, root: hash }),
  tables: record({ devices: tableState, certificates: tableState, messages: tableState, changes: tableState }),
  time: uint,
  nextDue: uint,
  acks: acknowledgements,
  recovery: record({ encapsulated: bytesBetween(0, 40), ciphertext: bytesBetween(0, 60) }),
  classical: uint,
  sealed: record({ nonce: bytes(12), ciphertext: bytesBetween(16, 300) }),
});

export const statement: fc.Arbitrary<OwnerStatement> = record({
  owner: hash,
  number: positive,
  incarnation: id,
  managerKey: bytesBetween(1, 60),
  inboxKey: bytes(LIMITS.xwingPublicKeyBytes),
  recoveryKey: bytes(LIMITS.xwingPublicKeyBytes),
  edges: fc.array(record({ origin: text(40, 1), key: hash }), { minLength: 1, maxLength: LIMITS.maxEdges }),
  time: uint,
  base: nullable(record({ generation: positive, head: hash })),
});

export const deviceExtra: fc.Arbitrary<DeviceExtra> = record({
  device: id,
  registration: positive,
  publicKey: bytesBetween(1, 60),
  suite: fc.constantFrom("xwing", "p256"),
  encapsulated: bytesBetween(0, 40),
  wrapped: bytesBetween(1, 60),
});

export const device: fc.Arbitrary<DeviceContent> = record({
  id,
  registration: positive,
  name: text(LIMITS.maxDeviceNameChars, 1),
  publicKey: bytesBetween(1, 60),
  certificate: nullable(bytesBetween(1, 60)),
  suite: fc.constantFrom("xwing", "p256"),
  kemPublicKey: nullable(bytesBetween(1, 60)),
  added: time,
});

export const certificate: fc.Arbitrary<CertificateContent> = record({
  der: bytesBetween(1, 60),
  status: fc.constantFrom(0, 1, 2),
  added: time,
  origin: fc.constantFrom("owner", "import", "device", "runtime"),
  note: text(LIMITS.maxNoteChars),
  isAnchor: fc.boolean(),
  reason: text(LIMITS.maxNoteChars),
});

export const channel: fc.Arbitrary<ChannelContent> = record({ name: text(24, 1), created: time });

export const message: fc.Arbitrary<MessageContent> = record({
  id,
  channel: text(24, 1),
  position: positive,
  direction: fc.constantFrom("in", "out"),
  date: nullable(time),
  added: time,
  size: fc.nat(LIMITS.maxMessageBytes),
  sha256: hash,
  summary: record({ from: text(24), to: text(24), subject: text(24) }),
  parts: fc.nat(50),
  inline: nullable(bytesBetween(0, 60)),
});

export const part: fc.Arbitrary<PartContent> = record({ message: id, index: uint, bytes: bytesBetween(0, 60) });

export const receipt: fc.Arbitrary<ReceiptContent> = record({
  device: id,
  stream: id,
  number: positive,
  submission: hash,
  outcome: fc.constantFrom("done", "held", "refused"),
  text: text(LIMITS.maxNoteChars),
});

const change: fc.Arbitrary<Change> = record({
  list: fc.oneof(
    record({ kind: fc.constantFrom("device" as const, "message" as const), name: id }),
    record({ kind: fc.constantFrom("fingerprint" as const, "receipt" as const), name: hash }),
    record({ kind: fc.constantFrom("subject" as const, "channel" as const), name: text(24) }),
    fc.constant({ kind: "channels" as const, name: "" }),
    record({ kind: fc.constant("cover" as const), table: fc.constantFrom(2 as const, 3 as const), name: id }),
  ),
  number: uint,
  content: nullable(hash),
});

export const changes: fc.Arbitrary<ChangesContent> = record({
  generation: positive,
  changes: fc.array(change, { maxLength: 6 }),
});

export const payload: fc.Arbitrary<SubmissionPayload> = fc.oneof(
  record({ kind: fc.constant("certificate" as const), der: bytesBetween(1, 60), note: text(24) }),
  record({
    kind: fc.constant("message" as const),
    channel: text(24, 1),
    date: nullable(uint),
    size: fc.nat(LIMITS.maxMessageBytes),
    sha256: hash,
    inline: nullable(bytesBetween(0, 60)),
    partKey: nullable(hash),
  }),
  record({ kind: fc.constant("ping" as const), nonce: hash }),
);

export const submission: fc.Arbitrary<Submission> = record({
  owner: hash,
  incarnation: id,
  device: id,
  stream: id,
  number: positive,
  previous: nullable(hash),
  statement: positive,
  epoch: positive,
  seen: record({ generation: positive, head: hash }),
  time: uint,
  sealed: record({ encapsulated: bytesBetween(0, 40), ciphertext: bytesBetween(16, 60) }),
  parts: fc.array(record({ hash, size: positive }), { maxLength: 4 }),
  copy: nullable(record({ nonce: bytes(12), ciphertext: bytesBetween(16, 60) })),
});

export const grant: fc.Arbitrary<PairingGrant> = record({
  owner: hash,
  device: id,
  registration: positive,
  certificate: nullable(bytesBetween(1, 60)),
  origin: text(40, 1),
  edgeKey: hash,
  statement: record({ number: positive, hash }),
  newest: nullable(record({ generation: positive, head: hash })),
  request: hash,
});

/** Any content with a table that it may stand in. */
export const content: fc.Arbitrary<RowContent> = fc.oneof(
  device.map((one) => ({ kind: "device" as const, device: one })),
  certificate.map((one) => ({ kind: "certificate" as const, certificate: one })),
  channel.map((one) => ({ kind: "channel" as const, channel: one })),
  message.map((one) => ({ kind: "message" as const, message: one })),
  part.map((one) => ({ kind: "part" as const, part: one })),
  receipt.map((one) => ({ kind: "receipt" as const, receipt: one })),
  changes.map((one) => ({ kind: "changes" as const, changes: one })),
  fc.nat(600).map((zeros) => ({ kind: "cover" as const, zeros })),
);

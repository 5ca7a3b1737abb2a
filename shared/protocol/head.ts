/** The head: codec, hash, signature, sealed part (shared/spec/head.md). How a device judges heads is in judge_head.ts. */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../bytes/cbor.ts";
import { pad, unpad } from "../bytes/padding.ts";
import { openAead, sealAead } from "../crypto/aead.ts";
import { sha256 } from "../crypto/hash.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { LIMITS } from "../limits.ts";
import { type Acknowledgement, acksTuple, decodeAcks, encodeAcks } from "./acknowledgement.ts";
import type { EpochContext, EpochKeys } from "./epoch_keys.ts";
import { LABELS } from "./labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, shapeAs, uint } from "./shapes.ts";
import { TABLE_NAMES, type TableName } from "./tables.ts";
import { requireSignature, type Signer } from "./signed.ts";

const tableState = <const N extends number>(number: N) => v.strictTuple([v.literal(number), uint, bytesOf(32)]);

const headTuple = v.strictTuple([
  label(LABELS.head),
  bytesOf(32),
  v.strictTuple([positive, bytesOf(32)]),
  bytesOf(16),
  positive,
  bytesOf(32),
  positive,
  v.nullable(bytesOf(32)),
  v.strictTuple([uint, bytesOf(32)]),
  v.strictTuple([tableState(1), tableState(2), tableState(3), tableState(4)]),
  uint,
  uint,
  acksTuple,
  v.strictTuple([bytesUpTo(LIMITS.maxEncapsulatedBytes), bytesUpTo(LIMITS.maxWrappedKeyBytes)]),
  uint,
  v.strictTuple([bytesOf(12), bytesUpTo(LIMITS.maxHeadSealedBytes, 16)]),
]);

const signedTuple = v.strictTuple([bytesUpTo(LIMITS.maxHeadBytes, 1), bytesUpTo(LIMITS.maxSignatureBytes, 1)]);
const alarmTuple = v.nullable(v.strictTuple([positive, uint]));
// What managers wrote before there were alarms and change lists has none (spec: HEAD-07, HEAD-12).
const sealedTuple = v.union([
  v.strictTuple([bytesOf(32)]),
  v.strictTuple([bytesOf(32), alarmTuple]),
  v.tupleWithRest([bytesOf(32), alarmTuple, v.nullable(positive)], v.unknown()),
]);

/** Count and Merkle root of one table. */
export interface TableState {
  readonly count: number;
  readonly root: Bytes;
}

/** The manager's statement of one generation; fields as in shared/spec/head.md. */
export interface Head extends EpochContext {
  /** The owner statement in force: its number and the SHA-256 of the signed statement. */
  readonly statement: { readonly number: number; readonly hash: Bytes };
  readonly commitment: Bytes;
  readonly generation: number;
  /** Hash of the head before; null in the first head of all. */
  readonly previous: Bytes | null;
  /** History tree over all earlier heads. */
  readonly history: { readonly size: number; readonly root: Bytes };
  readonly tables: Readonly<Record<TableName, TableState>>;
  /** Millis. */
  readonly time: number;
  readonly nextDue: number;
  readonly acks: readonly Acknowledgement[];
  readonly recovery: { readonly encapsulated: Bytes; readonly ciphertext: Bytes };
  readonly classical: number;
  readonly sealed: { readonly nonce: Bytes; readonly ciphertext: Bytes };
}

/** The manager's key signs elsewhere too: under this generation a head was shown that the owner's manager never signed (spec: HEAD-07). */
export interface HeadAlarm {
  readonly generation: number;
  /** When the manager learnt of it, Millis by its clock. */
  readonly time: number;
}

/** What only devices read of a head. */
export interface HeadSecrets {
  readonly contentRoot: Bytes;
  /** Null unless a fork is known that the owner has not cleared. */
  readonly alarm: HeadAlarm | null;
  /** From which generation on the change lists name everything that changed; null when they do not (spec: HEAD-12). */
  readonly listed: number | null;
}

export function encodeHead(h: Head): Bytes {
  const tables = TABLE_NAMES.map((name, index) => [index + 1, h.tables[name].count, h.tables[name].root]);
  return encodeCbor([
    ...[LABELS.head, h.owner, [h.statement.number, h.statement.hash], h.incarnation, h.epoch, h.commitment],
    ...[h.generation, h.previous, [h.history.size, h.history.root]],
    ...[tables, h.time, h.nextDue, encodeAcks(h.acks), [h.recovery.encapsulated, h.recovery.ciphertext]],
    ...[h.classical, [h.sealed.nonce, h.sealed.ciphertext]],
  ]);
}

/** @throws `malformed`, `too_large` */
export function decodeHead(bytes: Bytes): Head {
  const f = decodeAs(headTuple, bytes, "head");
  const [devices, certificates, messages, changes] = f[9];
  const state = (entry: readonly [number, number, Bytes]): TableState => ({ count: entry[1], root: entry[2] });
  return {
    ...{ owner: f[1], statement: { number: f[2][0], hash: f[2][1] }, incarnation: f[3], epoch: f[4], commitment: f[5] },
    ...{ generation: f[6], previous: f[7], history: { size: f[8][0], root: f[8][1] }, time: f[10], nextDue: f[11] },
    acks: decodeAcks(f[12]),
    tables: {
      devices: state(devices),
      certificates: state(certificates),
      messages: state(messages),
      changes: state(changes),
    },
    recovery: { encapsulated: f[13][0], ciphertext: f[13][1] },
    classical: f[14],
    sealed: { nonce: f[15][0], ciphertext: f[15][1] },
  };
}

/** Hash of the unsigned head: its name in chains, submissions and memory (spec: HEAD-01). */
export function headHash(head: Bytes): Bytes {
  return sha256(encodeCbor([LABELS.headHash, head]));
}

/** A head with its signature, taken apart; nothing is verified yet. */
export interface SignedHead {
  readonly bytes: Bytes;
  readonly signature: Bytes;
  readonly head: Head;
  readonly hash: Bytes;
}

/** Signs an encoded head; the caller has stored, or stores before sending, what comes out (spec: HEAD-05). */
export async function signHead(head: Bytes, sign: Signer): Promise<Bytes> {
  return encodeCbor([head, await sign(head)]);
}

/** Takes a signed head apart. @throws `malformed`, `too_large` */
export function decodeSignedHead(signed: Bytes): SignedHead {
  const [bytes, signature] = decodeAs(signedTuple, signed, "signed head");
  return { bytes, signature, head: decodeHead(bytes), hash: headHash(bytes) };
}

/** Verifies the signature under the manager key of the statement (spec: HEAD-02). @throws `tampered` */
export async function requireHeadSignature(signed: SignedHead, managerKey: Bytes): Promise<void> {
  await requireSignature(managerKey, signed.signature, signed.bytes, "head");
}

/** Seals the part of a head that only devices read. */
export async function sealHeadSecrets(
  keys: EpochKeys,
  generation: number,
  { contentRoot, alarm, listed }: HeadSecrets,
  random: RandomBytes,
): Promise<Head["sealed"]> {
  const nonce = random(12);
  const plaintext = pad(encodeCbor([contentRoot, alarm === null ? null : [alarm.generation, alarm.time], listed]));
  return { nonce, ciphertext: await sealAead(keys.head, nonce, plaintext, sealedData(keys, generation)) };
}

/** Opens what {@link sealHeadSecrets} sealed. @throws `tampered`, `malformed` */
export async function openHeadSecrets(keys: EpochKeys, head: Head): Promise<HeadSecrets> {
  const { nonce, ciphertext } = head.sealed;
  const padded = await openAead(keys.head, nonce, ciphertext, sealedData(keys, head.generation));
  const fields = shapeAs(sealedTuple, decodeCbor(unpad(padded)), "sealed part of the head");
  const [contentRoot, alarm = null, listed = null] = fields;
  return { contentRoot, alarm: alarm === null ? null : { generation: alarm[0], time: alarm[1] }, listed };
}

function sealedData({ owner, incarnation, epoch }: EpochContext, generation: number): Bytes {
  return encodeCbor([LABELS.headSealed, owner, incarnation, epoch, generation]);
}

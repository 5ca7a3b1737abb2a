/** What a device must not forget, and its strict form for files and browser storage. */
import * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { LIMITS } from "../../limits.ts";
import type { HeadMemory } from "../../protocol/judge_head.ts";
import type { PairingGrant } from "../../protocol/pairing.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, uint } from "../../protocol/shapes.ts";
import type { SubmissionPayload } from "../../protocol/submission_payload.ts";

const STATE_VERSION = 3;

/** A submission that no head has acknowledged yet; its bytes lie in memory under their own names. */
export interface PendingSubmission {
  readonly number: number;
  readonly hash: Bytes;
  readonly kind: SubmissionPayload["kind"];
  /** Encrypted parts that go with it. */
  readonly parts: number;
  /** Millis, by the device's clock. */
  readonly time: number;
  /** Whether the edge has said that it holds it. */
  readonly delivered: boolean;
  /** The number of the draft that it was; null if it was sent at once. */
  readonly draft: number | null;
}

/** Something to be handed in that was never sealed (spec: INBOX-15); its bytes lie in memory under their own name. */
export interface WaitingDraft {
  /** Counted from 1, on this device; no number is used twice. */
  readonly draft: number;
  readonly kind: SubmissionPayload["kind"];
  /** When it was kept, Millis, by the device's clock. */
  readonly time: number;
}

/** Which submission became of a draft. */
export interface PlacedDraft {
  readonly draft: number;
  readonly stream: Bytes;
  readonly number: number;
  readonly hash: Bytes;
}

/** What a device keeps to hand it in later. */
export interface Drafts {
  /** The number of the newest draft, whatever became of it; 0 before there was one. */
  readonly last: number;
  /** In the order in which they were kept. */
  readonly waiting: readonly WaitingDraft[];
  /** Of those that were sent, the newest few. */
  readonly placed: readonly PlacedDraft[];
}

export const NO_DRAFTS: Drafts = { last: 0, waiting: [], placed: [] };

/** A stream of submissions: numbered and chained (spec: INBOX-01). */
export interface Stream {
  readonly id: Bytes;
  readonly incarnation: Bytes;
  /** Nothing is appended any more: another one goes on in its place. */
  readonly closed: boolean;
  /** Up to which number a head acknowledged it. */
  readonly acknowledged: { readonly number: number; readonly hash: Bytes } | null;
  /** In the order of their numbers, without gaps, after the acknowledged ones. */
  readonly pending: readonly PendingSubmission[];
}

/** What a device remembers of the newest head to say how fresh it is (spec: HEAD-10). */
export interface ShownTimes {
  /** By when the next head was to be there, Millis. */
  readonly nextDue: number;
  /** When this device verified the head first, Millis by its own clock. */
  readonly verified: number;
}

/** Everything that a device remembers between two runs. It holds no secret. */
export interface DeviceState {
  /** The statement that the pairing grant named, until one has been verified (spec: PAIR-02). */
  readonly granted: { readonly number: number; readonly hash: Bytes } | null;
  /** The newest owner statement that was verified, signed as it came (spec: STMT-02). */
  readonly statement: Bytes | null;
  /** The newest head that was verified (spec: HEAD-03). */
  readonly head: HeadMemory | null;
  /** Of that head; null for one that was not verified itself, and for one that was before this was remembered. */
  readonly times: ShownTimes | null;
  /** The incarnation that the user confirmed last (spec: STMT-03). */
  readonly confirmed: Bytes | null;
  /** Oldest first. */
  readonly streams: readonly Stream[];
  readonly drafts: Drafts;
}

const KINDS: readonly SubmissionPayload["kind"][] = ["certificate", "message", "ping"];

const named = v.strictTuple([uint, bytesOf(32)]);
const pendingFields = [
  positive,
  bytesOf(32),
  v.picklist(KINDS),
  v.pipe(uint, v.maxValue(LIMITS.maxSubmissionParts)),
  uint,
  v.boolean(),
] as const;
const streamFields = [bytesOf(16), bytesOf(16), v.boolean(), v.nullable(named)] as const;
const stateFields = [
  v.nullable(named),
  v.nullable(bytesUpTo(LIMITS.maxStatementBytes + LIMITS.maxCertificateBytes + LIMITS.maxSignatureBytes, 1)),
  v.nullable(v.strictTuple([uint, uint, uint, bytesOf(32), uint])),
  v.nullable(bytesOf(16)),
] as const;
const times = v.nullable(v.strictTuple([uint, uint]));
const drafts = v.strictTuple([
  uint,
  v.pipe(v.array(v.strictTuple([positive, v.picklist(KINDS), uint])), v.maxLength(LIMITS.maxDrafts)),
  v.pipe(
    v.array(v.strictTuple([positive, bytesOf(16), positive, bytesOf(32)])),
    v.maxLength(LIMITS.maxRememberedDrafts),
  ),
]);
const streams = v.array(
  v.strictTuple([...streamFields, v.array(v.strictTuple([...pendingFields, v.nullable(positive)]))]),
);
/** Of before there were drafts. */
const olderStreams = v.array(v.strictTuple([...streamFields, v.array(v.strictTuple(pendingFields))]));
const stateTuple = v.union([
  v.strictTuple([v.literal(STATE_VERSION), ...stateFields, streams, times, drafts]),
  v.strictTuple([v.literal(2), ...stateFields, olderStreams, times]),
  v.strictTuple([v.literal(1), ...stateFields, olderStreams]),
]);

/** What a device remembers right after pairing (spec: PAIR-02). */
export function firstState(grant: PairingGrant): DeviceState {
  // Epoch, time and statement of the newest head are not in a grant; zero is below every one of them.
  const head = grant.newest === null
    ? null
    : { statement: 0, epoch: 0, generation: grant.newest.generation, hash: grant.newest.head, time: 0 };
  const { statement: granted } = grant;
  return { granted, statement: null, head, times: null, confirmed: null, streams: [], drafts: NO_DRAFTS };
}

export function encodeState(s: DeviceState): Bytes {
  const { head, drafts } = s;
  return encodeCbor([
    ...[STATE_VERSION, s.granted === null ? null : [s.granted.number, s.granted.hash], s.statement],
    head === null ? null : [head.statement, head.epoch, head.generation, head.hash, head.time],
    s.confirmed,
    s.streams.map((stream) => [
      ...[stream.id, stream.incarnation, stream.closed],
      stream.acknowledged === null ? null : [stream.acknowledged.number, stream.acknowledged.hash],
      stream.pending.map((one) => [one.number, one.hash, one.kind, one.parts, one.time, one.delivered, one.draft]),
    ]),
    s.times === null ? null : [s.times.nextDue, s.times.verified],
    [
      drafts.last,
      drafts.waiting.map(({ draft, kind, time }) => [draft, kind, time]),
      drafts.placed.map(({ draft, stream, number, hash }) => [draft, stream, number, hash]),
    ],
  ]);
}

/** @throws `malformed` */
export function decodeState(bytes: Bytes): DeviceState {
  const [, granted, statement, head, confirmed, streams, times = null, drafts] = decodeAs(
    stateTuple,
    bytes,
    "memory of a device",
  );
  return {
    granted: granted === null ? null : { number: granted[0], hash: granted[1] },
    statement,
    head: head === null
      ? null
      : { statement: head[0], epoch: head[1], generation: head[2], hash: head[3], time: head[4] },
    times: times === null ? null : { nextDue: times[0], verified: times[1] },
    confirmed,
    streams: streams.map(([id, incarnation, closed, acknowledged, pending]) => ({
      ...{ id, incarnation, closed },
      acknowledged: acknowledged === null ? null : { number: acknowledged[0], hash: acknowledged[1] },
      pending: pending.map(([number, hash, kind, parts, time, delivered, draft = null]) => {
        return { number, hash, kind, parts, time, delivered, draft };
      }),
    })),
    drafts: drafts === undefined ? NO_DRAFTS : {
      last: drafts[0],
      waiting: drafts[1].map(([draft, kind, time]) => ({ draft, kind, time })),
      placed: drafts[2].map(([draft, stream, number, hash]) => ({ draft, stream, number, hash })),
    },
  };
}

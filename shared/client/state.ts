/** What a device must not forget, and its strict form for files and browser storage. */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { LIMITS } from "../limits.ts";
import type { HeadMemory } from "../protocol/judge_head.ts";
import type { PairingGrant } from "../protocol/pairing.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, uint } from "../protocol/shapes.ts";
import type { SubmissionPayload } from "../protocol/submission_payload.ts";

const STATE_VERSION = 2;

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
}

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
}

const KINDS: readonly SubmissionPayload["kind"][] = ["certificate", "message", "ping"];

const named = v.strictTuple([uint, bytesOf(32)]);
const pendingTuple = v.strictTuple([
  positive,
  bytesOf(32),
  v.picklist(KINDS),
  v.pipe(uint, v.maxValue(LIMITS.maxSubmissionParts)),
  uint,
  v.boolean(),
]);
const streamTuple = v.strictTuple([
  bytesOf(16),
  bytesOf(16),
  v.boolean(),
  v.nullable(named),
  v.array(pendingTuple),
]);
const stateFields = [
  v.nullable(named),
  v.nullable(bytesUpTo(LIMITS.maxStatementBytes + LIMITS.maxCertificateBytes + LIMITS.maxSignatureBytes, 1)),
  v.nullable(v.strictTuple([uint, uint, uint, bytesOf(32), uint])),
  v.nullable(bytesOf(16)),
  v.array(streamTuple),
] as const;
const stateTuple = v.union([
  v.strictTuple([v.literal(STATE_VERSION), ...stateFields, v.nullable(v.strictTuple([uint, uint]))]),
  v.strictTuple([v.literal(1), ...stateFields]),
]);

/** What a device remembers right after pairing (spec: PAIR-02). */
export function firstState(grant: PairingGrant): DeviceState {
  // Epoch, time and statement of the newest head are not in a grant; zero is below every one of them.
  const head = grant.newest === null
    ? null
    : { statement: 0, epoch: 0, generation: grant.newest.generation, hash: grant.newest.head, time: 0 };
  return { granted: grant.statement, statement: null, head, times: null, confirmed: null, streams: [] };
}

export function encodeState(s: DeviceState): Bytes {
  const { head } = s;
  return encodeCbor([
    ...[STATE_VERSION, s.granted === null ? null : [s.granted.number, s.granted.hash], s.statement],
    head === null ? null : [head.statement, head.epoch, head.generation, head.hash, head.time],
    s.confirmed,
    s.streams.map((stream) => [
      ...[stream.id, stream.incarnation, stream.closed],
      stream.acknowledged === null ? null : [stream.acknowledged.number, stream.acknowledged.hash],
      stream.pending.map((one) => [one.number, one.hash, one.kind, one.parts, one.time, one.delivered]),
    ]),
    s.times === null ? null : [s.times.nextDue, s.times.verified],
  ]);
}

/** @throws `malformed` */
export function decodeState(bytes: Bytes): DeviceState {
  const [, granted, statement, head, confirmed, streams, times = null] = decodeAs(
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
      pending: pending.map(([number, hash, kind, parts, time, delivered]) => {
        return { number, hash, kind, parts, time, delivered };
      }),
    })),
  };
}

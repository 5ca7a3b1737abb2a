/** The streams of a device's submissions: numbering, acknowledgements, clearing. Pure (shared/spec/inbox.md). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Acknowledgement } from "../../protocol/acknowledgement.ts";
import type { PendingSubmission, Stream } from "./state.ts";

/** Where the next submission stands. */
export interface NextPlace {
  readonly stream: Bytes;
  readonly number: number;
  /** Hash of the submission before it in the stream; null for the first. */
  readonly previous: Bytes | null;
}

/**
 * The place of the next submission: in the newest open stream of this incarnation, or at the start of a new one.
 *
 * @param newStream 16 random bytes, used if there is none to go on with
 */
export function nextPlace(streams: readonly Stream[], incarnation: Bytes, newStream: Bytes): NextPlace {
  const open = openStream(streams, incarnation);
  if (open === undefined) return { stream: newStream, number: 1, previous: null };
  const last = open.pending.at(-1) ?? open.acknowledged;
  return { stream: open.id, number: (last?.number ?? 0) + 1, previous: last?.hash ?? null };
}

/** The newest open stream of an incarnation. */
export function openStream(streams: readonly Stream[], incarnation: Bytes): Stream | undefined {
  return streams.findLast((one) => !one.closed && equalBytes(one.incarnation, incarnation));
}

/** Whether something of a stream was sent, or is to be, that the edge has not taken. */
export function hasUndelivered({ pending }: Stream): boolean {
  return pending.some(({ delivered }) => !delivered);
}

/** What of a stream may be sent under a head that is not fresh: its pings, up to where something else waits (spec: INBOX-03). */
export function sendablePings({ pending }: Stream): readonly PendingSubmission[] {
  const blocked = pending.findIndex(({ kind, delivered }) => kind !== "ping" && !delivered);
  return (blocked < 0 ? pending : pending.slice(0, blocked)).filter(({ kind }) => kind === "ping");
}

/** The streams with one more submission at the place that {@link nextPlace} gave. */
export function append(
  streams: readonly Stream[],
  incarnation: Bytes,
  stream: Bytes,
  submission: PendingSubmission,
): Stream[] {
  if (submission.number === 1) {
    const added = { id: stream, incarnation, closed: false, acknowledged: null, pending: [submission] };
    return forgetFinished([...streams, added]);
  }
  return changeStream(streams, stream, (one) => ({ ...one, pending: [...one.pending, submission] }));
}

/** Marks a submission as held by the edge. */
export function markDelivered(streams: readonly Stream[], stream: Bytes, number: number): Stream[] {
  const mark = (one: PendingSubmission) => one.number === number ? { ...one, delivered: true } : one;
  return changeStream(streams, stream, (found) => ({ ...found, pending: found.pending.map(mark) }));
}

/** Ends a stream: what comes next starts another one (spec: INBOX-01). */
export function closeStream(streams: readonly Stream[], stream: Bytes): Stream[] {
  return changeStream(streams, stream, (one) => ({ ...one, closed: true }));
}

/** Forgets a stream, so that its submissions are no longer expected to be acknowledged, and no surprise if they are. */
export function forgetStream(streams: readonly Stream[], stream: Bytes): Stream[] {
  return streams.filter((one) => !equalBytes(one.id, stream));
}

function changeStream(streams: readonly Stream[], id: Bytes, change: (stream: Stream) => Stream): Stream[] {
  return streams.map((one) => equalBytes(one.id, id) ? change(one) : one);
}

/** Keeps what still matters of the finished ones: the newest few, so that a lie about them is noticed. */
function forgetFinished(streams: readonly Stream[]): Stream[] {
  const isLeft = (one: Stream) => one.closed || openStream(streams, one.incarnation) !== one;
  const finished = streams.filter((one) => one.pending.length === 0 && isLeft(one));
  const forgotten = new Set(finished.slice(0, Math.max(0, finished.length - LIMITS.maxRememberedStreams)));
  return streams.filter((one) => !forgotten.has(one));
}

/**
 * Takes the acknowledgements of a head that was verified (spec: INBOX-09). Streams that this device does not know are those of a copy
 * of it that lost its memory, and say nothing.
 *
 * @param incarnation of the head
 * @returns the streams after it; the same array when nothing changed
 * @throws `forked` for an acknowledgement of another hash, or of a number that was never sent; `rolled_back` for one that goes back
 * within its incarnation
 */
export function judgeAcknowledgements(
  streams: readonly Stream[],
  device: Bytes,
  acks: readonly Acknowledgement[],
  incarnation: Bytes,
): readonly Stream[] {
  const own = acks.filter((ack) => equalBytes(ack.device, device));
  const judged = streams.map((stream) => {
    const ack = own.find((one) => equalBytes(one.stream, stream.id));
    return ack === undefined ? stream : judgeOne(stream, ack, incarnation);
  });
  return judged.every((one, index) => one === streams[index]) ? streams : judged;
}

function judgeOne(stream: Stream, { number, hash }: Acknowledgement, incarnation: Bytes): Stream {
  const { acknowledged } = stream;
  if (acknowledged !== null && number < acknowledged.number) {
    // spec: BACKUP-16: what the incarnation before had taken was lost with it, which the user has confirmed.
    if (!equalBytes(stream.incarnation, incarnation)) return stream;
    throw new PosternError("rolled_back", `The manager takes back its acknowledgement of ${name(stream, number + 1)}`);
  }
  const sent = number === acknowledged?.number ? acknowledged : stream.pending.find((one) => one.number === number);
  if (sent === undefined) {
    throw new PosternError("forked", `The manager acknowledges ${name(stream, number)}, which was never handed in`);
  }
  if (!equalBytes(sent.hash, hash)) {
    throw new PosternError("forked", `The manager acknowledges something else as ${name(stream, number)}`);
  }
  if (sent === acknowledged) return stream;
  return { ...stream, acknowledged: { number, hash }, pending: stream.pending.filter((one) => one.number > number) };
}

function name(stream: Stream, number: number): string {
  return `submission ${number} of stream ${toHex(stream.id.subarray(0, 4))}`;
}

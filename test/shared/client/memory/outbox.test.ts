import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../../assert.ts";
import { type Bytes, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import {
  append,
  closeStream,
  forgetStream,
  judgeAcknowledgements,
  markDelivered,
  nextPlace,
  sendablePings,
} from "../../../../shared/client/memory/outbox.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../../shared/bytes/cbor.ts";
import {
  decodeState,
  type DeviceState,
  encodeState,
  NO_DRAFTS,
  type Stream,
} from "../../../../shared/client/memory/state.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Acknowledgement } from "../../../../shared/protocol/acknowledgement.ts";
import { bytes, bytesBetween, positive, uint } from "../../protocol/arbitraries.ts";
import { checkCodec } from "../../protocol/codec.ts";
import { filled } from "../../protocol/epoch.ts";

const device = filled(16, 1);
const life = filled(16, 2);

/** A submission's hash, made from its place: two different ones never share it. */
function hashAt(stream: Bytes, number: number): Bytes {
  return sha256(encodeCbor([stream, number]));
}

function submit(streams: readonly Stream[], incarnation: Bytes, newStream: Bytes): Stream[] {
  const { stream, number } = nextPlace(streams, incarnation, newStream);
  const pending = {
    number,
    hash: hashAt(stream, number),
    kind: "ping",
    parts: 0,
    time: 0,
    delivered: false,
    draft: null,
  } as const;
  return append(streams, incarnation, stream, pending);
}

const ack = (stream: Bytes, number: number, hash = hashAt(stream, number)): Acknowledgement => {
  return { device, stream, number, hash };
};

Deno.test("submissions are numbered and chained within a stream, INBOX-01", () => {
  assertEquals(nextPlace([], life, filled(16, 5)), { stream: filled(16, 5), number: 1, previous: null });
  let streams = submit([], life, filled(16, 5));
  assertEquals(nextPlace(streams, life, filled(16, 6)), {
    ...{ stream: filled(16, 5), number: 2, previous: hashAt(filled(16, 5), 1) },
  });
  streams = submit(streams, life, filled(16, 6));
  streams = [...judgeAcknowledgements(streams, device, [ack(filled(16, 5), 2)], life)];
  assertEquals(streams[0]?.pending, []);
  assertEquals(nextPlace(streams, life, filled(16, 6)), {
    ...{ stream: filled(16, 5), number: 3, previous: hashAt(filled(16, 5), 2) },
  });
});

Deno.test("a new stream is started when the old one is in doubt, or of another incarnation, INBOX-01", () => {
  const streams = submit([], life, filled(16, 5));
  assertEquals(nextPlace(closeStream(streams, filled(16, 5)), life, filled(16, 6)).stream, filled(16, 6));
  assertEquals(nextPlace(streams, filled(16, 3), filled(16, 6)).stream, filled(16, 6));
  const both = submit(streams, filled(16, 3), filled(16, 6));
  assertEquals(nextPlace(both, life, filled(16, 7)).stream, filled(16, 5));
  assertEquals(nextPlace(both, filled(16, 3), filled(16, 7)).stream, filled(16, 6));
});

Deno.test("judgeAcknowledgements() refuses what was never sent, something else, and going back within a life, INBOX-09, BACKUP-16", () => {
  const id = filled(16, 5);
  let streams: readonly Stream[] = submit(submit(submit([], life, id), life, id), life, id);
  assertThrows(() => judgeAcknowledgements(streams, device, [ack(id, 4)], life), "forked");
  assertThrows(() => judgeAcknowledgements(streams, device, [ack(id, 2, filled(32, 9))], life), "forked");
  streams = judgeAcknowledgements(streams, device, [ack(id, 2)], life);
  assertEquals(streams[0]?.pending.map(({ number }) => number), [3]);
  assert(judgeAcknowledgements(streams, device, [ack(id, 2)], life) === streams);
  assertThrows(() => judgeAcknowledgements(streams, device, [ack(id, 1)], life), "rolled_back");
  // After a restore that the user confirmed, what the incarnation before had taken is lost, and no lie (BACKUP-16).
  assert(judgeAcknowledgements(streams, device, [ack(id, 1)], filled(16, 3)) === streams);
  assertThrows(() => judgeAcknowledgements(streams, device, [ack(id, 2, filled(32, 9))], life), "forked");
  // Another device's, and streams of a copy that lost its memory, say nothing.
  assert(judgeAcknowledgements(streams, device, [{ ...ack(id, 9), device: filled(16, 8) }], life) === streams);
  assert(judgeAcknowledgements(streams, device, [ack(filled(16, 8), 9)], life) === streams);
  assert(judgeAcknowledgements(forgetStream(streams, id), device, [ack(id, 9)], life).length === 0);
});

/** What a run of a device and an honest manager does, step by step, beside a model that is only sets of numbers. */
Deno.test("whatever comes in whichever order, nothing is lost and no number is used twice, INBOX-01 INBOX-09", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: "submit" as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("acknowledge" as const), which: fc.nat(), upTo: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ kind: "doubt" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "restore" as const }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let streams: readonly Stream[] = [];
      const sent = new Map<string, number>();
      const acknowledged = new Map<string, number>();
      const ids: Bytes[] = [];
      let incarnation = 1;
      for (const one of steps) {
        if (one.kind === "submit") {
          const fresh = filled(16, 100 + ids.length);
          const { stream, number, previous } = nextPlace(streams, filled(16, incarnation), fresh);
          assertEquals(number, (sent.get(`${stream}`) ?? 0) + 1, "numbers have no gaps and none is used twice");
          assertEquals(previous, number === 1 ? null : hashAt(stream, number - 1));
          if (equalBytes(stream, fresh)) ids.push(fresh);
          sent.set(`${stream}`, number);
          streams = submit(streams, filled(16, incarnation), fresh);
        } else if (one.kind === "acknowledge" && ids.length > 0) {
          const id = ids[one.which % ids.length] ?? filled(16, 0);
          const [low, high] = [acknowledged.get(`${id}`) ?? 0, sent.get(`${id}`) ?? 0];
          const number = low + one.upTo % (high - low + 1);
          if (number > 0) streams = judgeAcknowledgements(streams, device, [ack(id, number)], life);
          acknowledged.set(`${id}`, number);
        } else if (one.kind === "doubt") {
          const open = streams.findLast(({ closed }) => !closed);
          if (open !== undefined) streams = closeStream(streams, open.id);
        } else if (one.kind === "restore") {
          incarnation += 1;
        }
        for (const { id, pending } of streams) {
          const from = acknowledged.get(`${id}`) ?? 0;
          const expected = Array.from({ length: (sent.get(`${id}`) ?? 0) - from }, (_, index) => from + index + 1);
          assertEquals(pending.map(({ number }) => number), expected);
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("finished streams are forgotten in time, those with something pending never", () => {
  let streams: readonly Stream[] = submit([], life, filled(16, 0));
  streams = closeStream(streams, filled(16, 0));
  for (let count = 1; count <= 40; count++) {
    streams = submit(streams, life, filled(16, count));
    streams = judgeAcknowledgements(streams, device, [ack(filled(16, count), 1)], life);
    streams = closeStream(streams, filled(16, count));
  }
  // The first, which nobody acknowledged; those that are remembered; and the newest.
  assertEquals(streams.map(({ id }) => id[0]), [
    0,
    ...Array.from({ length: LIMITS.maxRememberedStreams + 1 }, (_, index) => 40 - LIMITS.maxRememberedStreams + index),
  ]);
  assertEquals(streams[0]?.pending.length, 1);
});

Deno.test("an open stream is finished when another one overtook it, and never while its incarnation goes on in it", () => {
  const empty = { closed: false, acknowledged: null, pending: [] };
  const goesOn = { ...empty, id: filled(16, 1), incarnation: filled(16, 3) };
  const overtaken = Array.from({ length: LIMITS.maxRememberedStreams + 2 }, (_, index) => {
    return { ...empty, id: filled(16, 10 + index), incarnation: life };
  });
  const pending = { hash: filled(32, 1), kind: "ping", parts: 0, time: 0, delivered: false, draft: null } as const;
  const streams = append([goesOn, ...overtaken], life, filled(16, 90), { ...pending, number: 1 });
  assertEquals(streams.map(({ id }) => id[0]), [1, ...overtaken.slice(2).map(({ id }) => id[0]), 90]);
});

Deno.test("sendablePings() are those before anything else that waits, INBOX-03", () => {
  const id = filled(16, 5);
  const one = { hash: filled(32, 1), parts: 0, time: 0, draft: null };
  const ping = (number: number) => ({ ...one, number, kind: "ping" as const, delivered: false });
  const message = (number: number, delivered: boolean) => ({ ...one, number, kind: "message" as const, delivered });
  const numbers = (...pending: Stream["pending"]) =>
    sendablePings({ id, incarnation: life, closed: false, acknowledged: null, pending }).map(({ number }) => number);
  assertEquals(numbers(ping(1), ping(2)), [1, 2]);
  assertEquals(numbers(ping(1), message(2, true), ping(3), message(4, false), ping(5)), [1, 3]);
  assertEquals(numbers(message(1, false), ping(2)), []);
});

Deno.test("markDelivered() marks one submission", () => {
  const id = filled(16, 5);
  const streams = markDelivered(submit(submit([], life, id), life, id), id, 2);
  assertEquals(streams[0]?.pending.map(({ delivered }) => delivered), [false, true]);
});

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const plain = { noNullPrototype: true } as const;
const named = fc.record({ number: uint, hash: bytes(32) }, plain);
const kind = fc.constantFrom("certificate" as const, "message" as const, "ping" as const);
const state: fc.Arbitrary<DeviceState> = fc.record({
  granted: nullable(named),
  statement: nullable(bytesBetween(1, 50)),
  head: nullable(
    fc.record({ statement: uint, epoch: uint, generation: uint, hash: bytes(32), time: uint }, plain),
  ),
  times: nullable(fc.record({ nextDue: uint, verified: uint }, plain)),
  confirmed: nullable(bytes(16)),
  streams: fc.array(
    fc.record({
      id: bytes(16),
      incarnation: bytes(16),
      closed: fc.boolean(),
      acknowledged: nullable(named),
      pending: fc.array(
        fc.record({
          number: positive,
          hash: bytes(32),
          kind,
          parts: fc.nat(64),
          time: uint,
          delivered: fc.boolean(),
          draft: nullable(positive),
        }, plain),
        { maxLength: 3 },
      ),
    }, plain),
    { maxLength: 3 },
  ),
  drafts: fc.record({
    last: uint,
    waiting: fc.array(fc.record({ draft: positive, kind, time: uint }, plain), { maxLength: 3 }),
    placed: fc.array(fc.record({ draft: positive, stream: bytes(16), number: positive, hash: bytes(32) }, plain), {
      maxLength: 3,
    }),
  }, plain),
}, plain);

Deno.test("decodeState() and encodeState() are inverse and strict", () => {
  checkCodec(state, encodeState, decodeState, 150);
});

/** A stream as it was remembered before there were drafts. */
function withoutDraft(stream: CborInput): CborInput {
  const [id, incarnation, closed, acknowledged, pending] = stream as CborInput[][];
  const older = pending?.map((one) => (one as CborInput[]).slice(0, -1));
  return [id, incarnation, closed, acknowledged, older] as CborInput;
}

Deno.test("decodeState() reads what a device remembered before it kept times, and before it kept drafts", () => {
  fc.assert(fc.property(state, (one) => {
    const [, granted, statement, head, confirmed, kept, times] = decodeCbor(encodeState(one)) as CborInput[][];
    const fields = [granted, statement, head, confirmed, kept?.map(withoutDraft)] as CborInput[];
    const streams = one.streams.map((stream) => {
      return { ...stream, pending: stream.pending.map((pending) => ({ ...pending, draft: null })) };
    });
    const older = { ...one, streams, drafts: NO_DRAFTS };
    assertEquals(decodeState(encodeCbor([1, ...fields])), { ...older, times: null });
    assertEquals(decodeState(encodeCbor([2, ...fields, times as CborInput])), older);
  }));
});

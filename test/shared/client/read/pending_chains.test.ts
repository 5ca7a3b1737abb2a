import fc from "fast-check";
import { assertEquals } from "../../../assert.ts";
import { PendingChains } from "../../../../shared/client/read/pending_chains.ts";
import type { Stream } from "../../../../shared/client/memory/state.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Acknowledgement } from "../../../../shared/protocol/acknowledgement.ts";
import type { SignedSubmission } from "../../../../shared/protocol/submission.ts";
import { filled } from "../../protocol/epoch.ts";

const life = filled(16, 2);
const phone = filled(16, 3);
const laptop = filled(16, 4);
const stream = filled(16, 5);

type Listed = Pick<SignedSubmission, "submission" | "hash">;

const hashOf = (number: number, seed = 0) => filled(32, number + 100 * seed);

/** A submission at its place; nothing of it but place and chain is looked at. */
function at(number: number, change: Partial<SignedSubmission["submission"]> = {}, hash = hashOf(number)): Listed {
  const submission = {
    ...{ owner: filled(32, 1), incarnation: life, device: phone, stream, number },
    ...{ previous: number === 1 ? null : hashOf(number - 1), statement: 1, epoch: 1 },
    ...{ seen: { generation: 1, head: filled(32, 1) }, time: 0, parts: [], copy: null },
    ...{ sealed: { encapsulated: filled(32, 1), ciphertext: filled(32, 1) } },
    ...change,
  };
  return { submission, hash };
}

const ack = (number: number, change: Partial<Acknowledgement> = {}): Acknowledgement => {
  return { device: phone, stream, number, hash: hashOf(number), ...change };
};

function chains(...acks: Acknowledgement[]): PendingChains {
  return new PendingChains({ incarnation: life, acks });
}

/** What a listing comes to: the place of each, and the faults. */
function listed(acks: readonly Acknowledgement[], entries: readonly Listed[]) {
  const judged = chains(...acks);
  const places = entries.map((one) => judged.add(one));
  return [places, judged.faults.map(({ number, code }) => `${code} ${number}`)];
}

const filledStreams = (count: number): Acknowledgement[] =>
  Array.from({ length: count }, (_, index) => ack(1, { stream: filled(16, 50 + index) }));

Deno.test("PendingChains.add() takes what follows the head's acknowledgement number by number, INBOX-13", () => {
  const all = [at(1), at(2), at(3)];
  assertEquals(listed([], all), [["pending", "pending", "pending"], []]);
  assertEquals(listed([ack(2)], all), [["taken", "taken", "pending"], []]);
  assertEquals(listed([ack(3)], all), [["taken", "taken", "taken"], []]);
  // Streams are apart, and so are devices.
  const others = [at(1, { device: laptop }), at(1, { stream: filled(16, 6) }), at(3)];
  assertEquals(listed([ack(2), ack(9, { device: filled(16, 9) })], others), [["pending", "pending", "pending"], []]);
});

Deno.test("PendingChains.isTaken() is what the head acknowledges, whatever incarnation it was sealed in, INBOX-13", () => {
  const judged = chains(ack(2));
  const before = { incarnation: filled(16, 9) };
  assertEquals([1, 2, 3].map((number) => judged.isTaken(at(number, before))), [true, true, false]);
  assertEquals(judged.isTaken(at(2, before, hashOf(2, 1))), false);
  assertEquals(judged.isTaken(at(1, { ...before, device: laptop })), false);
});

Deno.test("PendingChains.add() names a missing number and shows what follows it, INBOX-13", () => {
  assertEquals(listed([], [at(2), at(3)]), [["pending", "pending"], ["withheld 1"]]);
  assertEquals(listed([], [at(1), at(4), at(5)]), [["pending", "pending", "pending"], ["withheld 2"]]);
  assertEquals(listed([ack(2)], [at(4), at(6)]), [["pending", "pending"], ["withheld 3", "withheld 5"]]);
  const judged = chains();
  judged.add(at(4));
  assertEquals([judged.hasGap, judged.faults.length], [true, 1]);
  assertEquals(/submissions 1 to 3 /.test(judged.faults[0]?.message ?? ""), true);
});

Deno.test("PendingChains.add() shows nothing of a stream from a contradiction on, INBOX-13", () => {
  const broken = (number: number) => [`tampered ${number}`];
  assertEquals(listed([], [at(1), at(1), at(2)]), [["pending", "broken", "broken"], broken(1)]);
  assertEquals(listed([], [at(2), at(1), at(3)]), [["pending", "broken", "broken"], ["withheld 1", "tampered 1"]]);
  assertEquals(listed([], [at(1), at(2, { previous: filled(32, 77) }), at(3)]), [
    ["pending", "broken", "broken"],
    broken(2),
  ]);
  assertEquals(listed([], [at(1, { previous: filled(32, 77) })]), [["broken"], broken(1)]);
  assertEquals(listed([], [at(1), at(2, { previous: null })]), [["pending", "broken"], broken(2)]);
  // A gap is no excuse for a number that says that it stands first.
  assertEquals(listed([], [at(3, { previous: null })]), [["broken"], broken(3)]);
  assertEquals(listed([ack(2)], [at(3, { previous: filled(32, 77) })]), [["broken"], broken(3)]);
  assertEquals(listed([ack(2)], [at(2, {}, filled(32, 77)), at(3)]), [["broken", "broken"], broken(2)]);
  for (const again of [at(2), at(1)]) {
    const judged = chains();
    for (const one of [at(1), at(2), again]) judged.add(one);
    assertEquals(judged.faults.map(({ message }) => message.includes("It comes twice, or after")), [true]);
  }
  const other = at(1, { device: laptop });
  assertEquals(listed([], [at(1), at(1), other]), [["pending", "broken", "pending"], broken(1)]);
});

Deno.test("PendingChains.add() lets a stream begin anywhere only where an acknowledgement may have dropped out, INBOX-13", () => {
  const { maxStreamsPerDevice } = LIMITS;
  assertEquals(listed(filledStreams(maxStreamsPerDevice), [at(7), at(9)]), [["pending", "pending"], ["withheld 8"]]);
  assertEquals(listed(filledStreams(maxStreamsPerDevice - 1), [at(7)]), [["pending"], ["withheld 1"]]);
});

Deno.test("requireOwn() misses what the edge has taken and hides, INBOX-14", () => {
  const pending = (number: number, delivered: boolean) => {
    return { number, hash: hashOf(number), kind: "ping", parts: 0, time: 0, delivered, draft: null } as const;
  };
  const own = (change: Partial<Stream> = {}): Stream => {
    const all = [pending(2, true), pending(3, true), pending(4, false)];
    return { id: stream, incarnation: life, closed: false, acknowledged: null, pending: all, ...change };
  };
  const missed = (judged: PendingChains, streams: readonly Stream[]) => {
    judged.requireOwn(phone, streams);
    return judged.faults.map(({ number, code, message }) => [number, code, /\d( to \d)?(?= of)/.exec(message)?.[0]]);
  };
  assertEquals(missed(chains(ack(1)), [own()]), [[2, "withheld", "2 to 3"]]);
  const shown = chains(ack(1));
  shown.add(at(2));
  assertEquals(missed(shown, [own()]), [[3, "withheld", "3"]]);
  shown.add(at(3));
  assertEquals(missed(shown, [own()]).length, 1);
  assertEquals(missed(chains(ack(3)), [own()]), []);
  assertEquals(missed(chains(), [own({ closed: true }), own({ incarnation: filled(16, 8) })]), []);
  const broken = chains(ack(1));
  broken.add(at(2, { previous: filled(32, 77) }));
  assertEquals(missed(broken, [own()]).map(([number]) => number), [2]);
});

Deno.test("unseen() names what a later head acknowledges and was not shown, INBOX-14", () => {
  const before = chains(ack(1));
  before.add(at(2));
  const shown = before.shown();
  const unseen = (...acks: Acknowledgement[]) =>
    chains(...acks).unseen(shown, laptop).map(({ from, to }) => [from, to]);
  assertEquals(unseen(ack(2)), []);
  assertEquals(unseen(ack(4)), [[3, 4]]);
  assertEquals(unseen(ack(2), ack(5, { stream: filled(16, 6) })), [[1, 5]]);
  assertEquals(unseen(ack(4, { device: laptop })), []);
  // A stream that contradicts itself was shown as far as it did not.
  const wrong = (number: number) => at(number, { previous: filled(32, 77) });
  for (
    const [acks, entries] of [[[ack(2)], [wrong(3)]], [[], [at(1), at(2), wrong(3)]], [[ack(1)], [
      at(2),
      wrong(3),
    ]]] as const
  ) {
    const broken = chains(...acks);
    for (const one of entries) broken.add(one);
    assertEquals(chains(ack(4)).unseen(broken.shown(), laptop).map(({ from, to }) => [from, to]), [[3, 4]]);
  }
  const first = chains();
  first.add(wrong(1));
  assertEquals(chains(ack(4)).unseen(first.shown(), laptop).map(({ from, to }) => [from, to]), [[1, 4]]);
  const restored = new PendingChains({ incarnation: filled(16, 8), acks: [ack(9)] });
  assertEquals(restored.unseen(shown, laptop), []);
  const crowded = chains(...filledStreams(LIMITS.maxStreamsPerDevice)).shown();
  assertEquals(chains(ack(4)).unseen(crowded, laptop), []);
  // A stream that may have dropped out began with a later number than the first.
  const late = chains(...filledStreams(LIMITS.maxStreamsPerDevice));
  for (const one of [at(3), at(4)]) late.add(one);
  const spans = (number: number) => chains(ack(number)).unseen(late.shown(), laptop).map(({ from, to }) => [from, to]);
  assertEquals([2, 4, 6].map(spans), [[[1, 2]], [[1, 2]], [[1, 2], [5, 6]]]);
});

Deno.test("an honest listing is never at fault, and none that lacks something is believed, INBOX-13 INBOX-14", () => {
  const devices = [phone, laptop];
  const game = fc.record({
    lengths: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    taken: fc.tuple(fc.nat(6), fc.nat(6)),
    order: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    drop: fc.nat(11),
  });
  fc.assert(fc.property(game, ({ lengths, taken, order, drop }) => {
    const left = devices.map((device, index) =>
      Array.from({ length: lengths[index] ?? 0 }, (_, n) => at(n + 1, { device }))
    );
    // Two streams in any order of arrival.
    const entries = order.flatMap((first) => {
      const next = left[first ? 0 : 1]?.shift() ?? left[first ? 1 : 0]?.shift();
      return next === undefined ? [] : [next];
    });
    const acks = devices.flatMap((device, index) => {
      const number = Math.min(taken[index] ?? 0, lengths[index] ?? 0);
      return number === 0 ? [] : [ack(number, { device })];
    });
    const numberOf = (device: typeof phone) => acks.find((one) => one.device === device)?.number ?? 0;
    const honest = chains(...acks);
    for (const one of entries) {
      const isTaken = one.submission.number <= numberOf(one.submission.device);
      assertEquals(honest.add(one), isTaken ? "taken" : "pending");
    }
    assertEquals(honest.faults, []);
    const gone = entries[drop % entries.length];
    if (gone === undefined) return;
    const lacking = chains(...acks);
    for (const one of entries) if (one !== gone) lacking.add(one);
    const { device, number } = gone.submission;
    const isLast = number === lengths[devices.indexOf(device)];
    const isFound = lacking.faults.some((fault) => fault.number === number && fault.code === "withheld");
    assertEquals(isFound, !isLast && number > numberOf(device));
  }));
});

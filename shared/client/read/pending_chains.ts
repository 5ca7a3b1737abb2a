/**
 * Whether what an edge shows as pending is all there, as far as that can be told: numbers and hashes of each stream, held against what
 * one head acknowledges. Pure (shared/spec/inbox.md).
 */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import type { ErrorCode } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Acknowledgement } from "../../protocol/acknowledgement.ts";
import type { SignedSubmission, Submission } from "../../protocol/submission.ts";
import type { Stream } from "../memory/state.ts";

/** What is wrong with a stream of pending submissions: tell the user, and `adviceFor` its code. */
export interface PendingFault {
  readonly device: Bytes;
  readonly stream: Bytes;
  /** The first submission that is missing, or the one that contradicts. */
  readonly number: number;
  /** `withheld` for what is missing, `tampered` for what contradicts. */
  readonly code: Extract<ErrorCode, "withheld" | "tampered">;
  readonly message: string;
}

/**
 * Submissions of another device that the manager took since this one last asked, and that were not shown as pending then: they were
 * handed in since, or the edge hid them (spec: INBOX-14).
 */
export interface UnseenSubmissions {
  readonly device: Bytes;
  readonly stream: Bytes;
  /** The first and the last number. */
  readonly from: number;
  readonly to: number;
}

/** Where a submission stands: to be shown, acknowledged already, or contradicting its stream. */
export type PendingPlace = "pending" | "taken" | "broken";

/** How far a stream is known: up to this number, whose hash is known unless its beginning is not. */
interface Reach {
  readonly number: number;
  readonly hash: Bytes | null;
  readonly isBroken: boolean;
}

/** What one device has been shown, to be held against the next head. */
export interface ShownPending {
  readonly incarnation: Bytes;
  /** The last number that was acknowledged or shown, by stream name. */
  readonly reached: ReadonlyMap<string, number>;
  /** The first number that was shown, of streams of which nobody knows where they begin, by stream name. */
  readonly begun: ReadonlyMap<string, number>;
  /** Devices of which the head acknowledged as many streams as it may, so that another one may have been older. */
  readonly crowded: ReadonlySet<string>;
}

/** The streams of one listing under one head. */
export class PendingChains {
  readonly #head: { readonly incarnation: Bytes; readonly acks: readonly Acknowledgement[] };
  readonly #acks: ReadonlyMap<string, Acknowledgement>;
  readonly #crowded: ReadonlySet<string>;
  readonly #reach = new Map<string, Reach>();
  readonly #begun = new Map<string, number>();
  readonly #faults: PendingFault[] = [];

  constructor(head: { readonly incarnation: Bytes; readonly acks: readonly Acknowledgement[] }) {
    this.#head = head;
    this.#acks = new Map(head.acks.map((ack) => [streamName(ack), ack]));
    this.#crowded = crowdedDevices(head.acks);
  }

  get faults(): readonly PendingFault[] {
    return this.#faults;
  }

  /** Whether something is missing that a newer head may explain. */
  get hasGap(): boolean {
    return this.#faults.some(({ code }) => code === "withheld");
  }

  /** Whether the head acknowledges it: also what was sealed in an incarnation before, which the manager took over. */
  isTaken({ submission, hash }: Pick<SignedSubmission, "submission" | "hash">): boolean {
    const ack = this.#acks.get(streamName(submission));
    if (ack === undefined) return false;
    return submission.number < ack.number || (submission.number === ack.number && equalBytes(ack.hash, hash));
  }

  /** Takes the next submission of the listing, of the head's incarnation, whose signature was verified (spec: INBOX-13). */
  add({ submission, hash }: Pick<SignedSubmission, "submission" | "hash">): PendingPlace {
    const name = streamName(submission);
    const ack = this.#acks.get(name);
    const { number, previous } = submission;
    if (this.isTaken({ submission, hash })) return "taken";
    if (ack?.number === number) {
      return this.#break(submission, "The head acknowledges another submission under this number");
    }
    const before = this.#before(name, submission);
    if (before.isBroken) return "broken";
    if ((number === 1) !== (previous === null)) {
      return this.#break(submission, "The first submission of a stream, and no other, names none before it");
    }
    if (number <= before.number) return this.#break(submission, "It comes twice, or after one that follows it");
    if (number > before.number + 1) this.#miss(submission, before.number + 1, number - 1);
    else if (before.hash !== null && (previous === null || !equalBytes(previous, before.hash))) {
      return this.#break(submission, "It does not follow the submission that stands before it");
    }
    if (before.hash === null && before.number > 0) this.#begun.set(name, number);
    this.#reach.set(name, { number, hash, isBroken: false });
    return "pending";
  }

  /**
   * Holds against the listing what this device itself has handed in, once the listing is complete (spec: INBOX-14).
   *
   * @param streams as they were before it was asked for
   */
  requireOwn(device: Bytes, streams: readonly Stream[]): void {
    for (const { id, incarnation, closed, pending } of streams) {
      if (closed || !equalBytes(incarnation, this.#head.incarnation)) continue;
      const place = { device, stream: id };
      const name = streamName(place);
      const reach = this.#reach.get(name) ?? { number: this.#acks.get(name)?.number ?? 0, isBroken: false };
      const missing = pending.filter(({ number, delivered }) => delivered && number > reach.number);
      const [first, last] = [missing[0], missing.at(-1)];
      if (!reach.isBroken && first !== undefined && last !== undefined) this.#miss(place, first.number, last.number);
    }
  }

  /** What to remember until the next listing. */
  shown(): ShownPending {
    const reached = new Map<string, number>();
    for (const [name, { number }] of this.#acks) reached.set(name, number);
    for (const [name, { number }] of this.#reach) reached.set(name, number);
    return { incarnation: this.#head.incarnation, reached, begun: this.#begun, crowded: this.#crowded };
  }

  /** What the head acknowledges of other devices and was not shown before (spec: INBOX-14). @param own this device */
  unseen(before: ShownPending, own: Bytes): UnseenSubmissions[] {
    if (!equalBytes(before.incarnation, this.#head.incarnation)) return [];
    return this.#head.acks.flatMap(({ device, stream, number }) => {
      const name = streamName({ device, stream });
      const known = before.reached.get(name);
      const isOlder = known === undefined && before.crowded.has(toHex(device));
      if (equalBytes(device, own) || isOlder) return [];
      const beforeFirst = Math.min((before.begun.get(name) ?? 1) - 1, number);
      const spans = [[1, beforeFirst], [(known ?? 0) + 1, number]] as const;
      return spans.flatMap(([from, to]) => from > to ? [] : [{ device, stream, from, to }]);
    });
  }

  /** What a submission has to follow. */
  #before(name: string, { device, number }: Pick<Submission, "device" | "number">): Reach {
    const reach = this.#reach.get(name);
    if (reach !== undefined) return reach;
    const ack = this.#acks.get(name);
    if (ack !== undefined) return { number: ack.number, hash: ack.hash, isBroken: false };
    // spec: HEAD-06: its acknowledgement may have dropped out.
    return { number: this.#crowded.has(toHex(device)) ? number - 1 : 0, hash: null, isBroken: false };
  }

  #miss({ device, stream }: Pick<Submission, "device" | "stream">, from: number, to: number): void {
    const what = from === to ? `submission ${from}` : `submissions ${from} to ${to}`;
    this.#faults.push({
      ...{ device, stream, number: from, code: "withheld" },
      message: `The edge does not show ${what} of the device's stream ${toHex(stream.subarray(0, 4))}`,
    });
  }

  #break({ device, stream, number }: Submission, message: string): "broken" {
    const name = streamName({ device, stream });
    const reach = this.#reach.get(name) ?? { number: this.#acks.get(name)?.number ?? 0, hash: null };
    this.#reach.set(name, { ...reach, isBroken: true });
    this.#faults.push({ device, stream, number, code: "tampered", message: `Submission ${number}: ${message}` });
    return "broken";
  }
}

/** Devices of which a head acknowledges as many streams as it may (spec: HEAD-06). */
function crowdedDevices(acks: readonly Acknowledgement[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { device } of acks) counts.set(toHex(device), (counts.get(toHex(device)) ?? 0) + 1);
  return new Set([...counts].flatMap(([device, count]) => count >= LIMITS.maxStreamsPerDevice ? [device] : []));
}

function streamName({ device, stream }: Pick<Submission, "device" | "stream">): string {
  return `${toHex(device)}/${toHex(stream)}`;
}

/**
 * Hands things in to the manager: numbered, kept before they are sent, sent again to the byte until a head acknowledges them
 * (shared/spec/inbox.md).
 */
import { type Bytes, concat, equalBytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/hash.ts";
import { type ErrorCode, isPosternError, PosternError } from "../errors.ts";
import type { Outcome } from "../protocol/records.ts";
import type { SubmissionPayload } from "../protocol/submission_payload.ts";
import { putPartCall, submitCall } from "./calls.ts";
import type { DeviceLink } from "./device_link.ts";
import type { CallOptions } from "./http.ts";
import type { Lists } from "./lists.ts";
import type { LocalCopy } from "./local_copy.ts";
import { append, closeStream, forgetStream, markDelivered, nextPlace, openStream } from "./outbox.ts";
import { dropSettled, keepSubmission, loadSubmission } from "./outbox_store.ts";
import { type Draft, requireDraft, sealSubmission } from "./seal_submission.ts";
import type { PendingSubmission, Stream } from "./state.ts";
import { asOf, requireFreshView, type View } from "./view.ts";

/** A submission by its place. Keep it to ask for its {@link Submit.outcome}. */
export interface Submitted {
  readonly stream: Bytes;
  readonly number: number;
  readonly hash: Bytes;
  readonly kind: SubmissionPayload["kind"];
  /** Whether the edge holds it. If not, it is kept and sent again by {@link Submit.flush}: do not hand it in a second time. */
  readonly delivered: boolean;
  /** Why it is not delivered yet. */
  readonly waitingFor: ErrorCode | null;
}

/** A submission that no head has acknowledged. */
export interface PendingStatus extends PendingSubmission {
  readonly stream: Bytes;
  /**
   * The edge or this device's memory contradicts its place in the stream: it may have been taken or not, and is not sent again. If it
   * is never acknowledged, {@link Submit.forget} its stream.
   */
  readonly doubtful: boolean;
}

export interface SubmitStatus {
  readonly pending: readonly PendingStatus[];
  /** The last number that the manager acknowledged in each stream. */
  readonly acknowledged: readonly { readonly stream: Bytes; readonly number: number }[];
}

/** What became of a submission (spec: ROW-14). */
export interface SubmissionOutcome {
  readonly outcome: Outcome;
  readonly text: string;
}

/** Failures after which the same bytes may be taken later. */
const MAY_PASS: readonly ErrorCode[] = ["network", "storage", "rate_limited", "too_large", "not_found"];
/** Failures that the same bytes meet again: their stream ends with them. */
const FINAL: readonly ErrorCode[] = ["conflict", "malformed", "forbidden", "unsupported"];

export class Submit {
  readonly #link: DeviceLink;
  readonly #reader: Lists;
  readonly #copy: LocalCopy | null;
  #last: Promise<unknown> = Promise.resolve();

  /** @param copy under whose head something is sealed while the edge cannot be reached */
  constructor(link: DeviceLink, reader: Lists, copy: LocalCopy | null) {
    this.#link = link;
    this.#reader = reader;
    this.#copy = copy;
  }

  /**
   * Hands in another person's certificate, for the owner to review.
   *
   * @throws `stale` or `clock` under a head that is not fresh (spec: INBOX-03); `malformed` for bytes that are no certificate;
   * `conflict` when its place in the stream is taken, so that it is in doubt: see {@link status}
   */
  async certificate(der: Bytes, note: string, options: CallOptions = {}): Promise<Submitted> {
    return await this.#submit({ kind: "certificate", der, note }, options);
  }

  /** Hands in a message to be sent or stored. @param date Millis, or null; errors as of {@link certificate} */
  async message(
    message: { readonly channel: string; readonly raw: Bytes; readonly date?: number | null },
    options: CallOptions = {},
  ): Promise<Submitted> {
    const { channel, raw, date = null } = message;
    return await this.#submit({ kind: "message", channel, raw, date }, options);
  }

  /**
   * Asks the manager for a sign of life: a head that acknowledges it was made after it. Allowed under any head, since it is how a
   * device finds out whether its clock is wrong (spec: INBOX-03).
   */
  async ping(options: CallOptions = {}): Promise<Submitted> {
    return await this.#submit({ kind: "ping", nonce: this.#link.surroundings.random(32) }, options);
  }

  /**
   * Sends everything again that is kept and not in doubt; returns what the edge did not take this time. Behind one that it does not take,
   * nothing new of the stream is sent (spec: INBOX-09).
   */
  async flush(options: CallOptions = {}): Promise<readonly Submitted[]> {
    return await this.#inTurn(async () => {
      const { streams } = await this.#state().read();
      const waiting: Submitted[] = [];
      for (const { id, pending } of streams.filter(({ closed }) => !closed)) {
        waiting.push(...await this.#deliverAll(id, pending, options));
      }
      return waiting;
    });
  }

  /** What is handed in and not acknowledged, and what is; as of the newest head that this device has seen. */
  async status(): Promise<SubmitStatus> {
    const { streams } = await this.#state().read();
    return {
      pending: streams.flatMap(({ id, closed, pending }) =>
        pending.map((one) => ({ ...one, stream: id, doubtful: closed }))
      ),
      acknowledged: streams.flatMap(({ id, acknowledged }) =>
        acknowledged === null ? [] : [{ stream: id, number: acknowledged.number }]
      ),
    };
  }

  /** The manager's receipt for a submission, or null while there is none. @throws `tampered` for a receipt of something else */
  async outcome(submitted: Submitted, options: CallOptions = {}): Promise<SubmissionOutcome | null> {
    const name = concat(this.#link.verifier.profile.device, submitted.stream);
    const range = { from: submitted.number };
    const { rows: [row] } = await this.#reader.page({ kind: "receipt", name }, range, 1, options);
    if (row?.content.kind !== "receipt" || row.number !== submitted.number) return null;
    const { submission, outcome, text } = row.content.receipt;
    if (!equalBytes(submission, submitted.hash)) {
      throw new PosternError("tampered", "The manager's receipt is for another submission under this number");
    }
    return { outcome, text };
  }

  /** Forgets a stream in doubt and all that is pending in it. */
  async forget(stream: Bytes): Promise<void> {
    await this.#change(async (streams) => {
      const left = forgetStream(streams, stream);
      await dropSettled(this.#link.verifier.memory, streams, left);
      return left;
    });
  }

  async #submit(draft: Draft, options: CallOptions): Promise<Submitted> {
    requireDraft(draft);
    return await this.#inTurn(async () => {
      const view = await this.#freshView(draft, options);
      const [earlier] = await this.#deliverEarlier(view, options);
      const { stream, pending } = await this.#keep(draft, view);
      if (earlier !== undefined) return waitingSubmission(stream, pending, earlier.waitingFor);
      return await this.#deliver(stream, pending, options);
    });
  }

  /**
   * Sends what the stream that goes on under this view still holds undelivered, before anything follows it (spec: INBOX-09).
   *
   * @returns what the edge still does not take; nothing of a stream that ended with it, in whose place another one begins
   */
  async #deliverEarlier(view: View, options: CallOptions): Promise<readonly Submitted[]> {
    const open = openStream((await this.#state().read()).streams, view.keys.incarnation);
    const pending = open?.pending.filter(({ delivered }) => !delivered) ?? [];
    if (open === undefined || pending.length === 0) return [];
    try {
      return await this.#deliverAll(open.id, pending, options);
    } catch (error) {
      const { streams } = await this.#state().read();
      if (streams.some(({ id, closed }) => closed && equalBytes(id, open.id))) return [];
      throw error;
    }
  }

  /** One after the other; what the edge does not take, and what would newly follow it. */
  async #deliverAll(
    stream: Bytes,
    all: readonly PendingSubmission[],
    options: CallOptions,
  ): Promise<readonly Submitted[]> {
    const waiting: Submitted[] = [];
    for (const pending of all) {
      const [first] = waiting;
      if (first === undefined) {
        const submitted = await this.#deliver(stream, pending, options);
        if (!submitted.delivered) waiting.push(submitted);
      } else if (!pending.delivered) {
        waiting.push(waitingSubmission(stream, pending, first.waitingFor));
      }
    }
    return waiting;
  }

  /** The present view, with a newer head if the one at hand is overdue (spec: INBOX-03). */
  async #freshView(draft: Draft, options: CallOptions): Promise<View> {
    const now = this.#link.surroundings.now();
    const view = await this.#viewAtHand(options);
    if (draft.kind === "ping" || asOf(view, now).freshness === "fresh") return view;
    const newest = await this.#link.refresh(options);
    requireFreshView(newest, now);
    return newest;
  }

  async #viewAtHand(options: CallOptions): Promise<View> {
    try {
      return await this.#link.view(options);
    } catch (error) {
      if (this.#copy === null || !isPosternError(error, "network")) throw error;
      return await this.#copy.view().catch(() => Promise.reject(error));
    }
  }

  /** Numbers, seals and keeps a draft; once this resolves, a crash loses nothing and a restart sends the same bytes. */
  async #keep(draft: Draft, view: View): Promise<{ stream: Bytes; pending: PendingSubmission }> {
    const { verifier, surroundings } = this.#link;
    const { profile, keys, memory } = verifier;
    return await this.#state().update(async (state) => {
      const { owner, incarnation } = view.keys;
      const { stream, number, previous } = nextPlace(state.streams, incarnation, surroundings.random(16));
      const place = { owner, incarnation, device: profile.device, stream, number };
      const now = surroundings.now();
      const sealed = await sealSubmission(draft, view, place, previous, keys.sign, now, surroundings.random);
      await keepSubmission(memory, stream, number, sealed);
      const { hash, parts } = sealed;
      const pending = { number, hash, kind: draft.kind, parts: parts.length, time: now, delivered: false };
      const streams = append(state.streams, incarnation, stream, pending);
      return { state: { ...state, streams }, result: { stream, pending } };
    });
  }

  async #deliver(stream: Bytes, pending: PendingSubmission, options: CallOptions): Promise<Submitted> {
    const { number, hash, kind } = pending;
    const kept = await loadSubmission(this.#link.verifier.memory, stream, pending);
    if (kept === null) {
      await this.#change((streams) => Promise.resolve(closeStream(streams, stream)));
      throw new PosternError("storage", "The device's memory has lost a submission; it cannot be sent again");
    }
    try {
      await this.#send(kept, options);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      if (FINAL.includes(error.code)) await this.#change((streams) => Promise.resolve(closeStream(streams, stream)));
      if (!MAY_PASS.includes(error.code)) throw error;
      return waitingSubmission(stream, pending, error.code);
    }
    await this.#change((streams) => Promise.resolve(markDelivered(streams, stream, number)));
    return { stream, number, hash, kind, delivered: true, waitingFor: null };
  }

  /** Parts first: the edge takes no submission whose parts it does not hold (spec: INBOX-04). */
  async #send(
    { signed, parts }: { readonly signed: Bytes; readonly parts: readonly Bytes[] },
    options: CallOptions,
  ): Promise<void> {
    const { owner } = this.#link.verifier.profile;
    for (const part of parts) await this.#link.ask(() => putPartCall(owner, sha256(part), part), options);
    await this.#link.ask(() => submitCall(owner, signed), options);
  }

  async #change(change: (streams: readonly Stream[]) => Promise<readonly Stream[]>): Promise<void> {
    await this.#state().update(async (state) => {
      return { state: { ...state, streams: await change(state.streams) }, result: undefined };
    });
  }

  #state() {
    return this.#link.verifier.state;
  }

  /** One submission after the other, because each names the one before it. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

function waitingSubmission(
  stream: Bytes,
  { number, hash, kind }: PendingSubmission,
  waitingFor: ErrorCode | null,
): Submitted {
  return { stream, number, hash, kind, delivered: false, waitingFor };
}

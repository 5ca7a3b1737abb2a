/**
 * Hands things in to the manager: sealed when they are sent, kept before they are sent, sent again to the byte until a head
 * acknowledges them; what cannot be sent is kept as a draft (shared/spec/inbox.md).
 */
import { type Bytes, concat, equalBytes } from "../../bytes/bytes.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../errors.ts";
import { Delivery } from "./delivery.ts";
import type { DeviceLink } from "../device_link.ts";
import { type Draft, requireDraft } from "./draft.ts";
import { DraftBox } from "./draft_box.ts";
import type { CallOptions } from "../session/http.ts";
import type { Lists } from "../read/lists.ts";
import { forgetStream, hasUndelivered, sendablePings } from "../memory/outbox.ts";
import { dropSettled } from "../memory/outbox_store.ts";
import type { PendingSubmission, Stream } from "../memory/state.ts";
import {
  statusOf,
  type SubmissionOutcome,
  type SubmitStatus,
  type Submitted,
  type Waiting,
  waitingDraft,
  waitingSubmission,
} from "./submitted.ts";
import { asOf, requireFreshView, type View } from "../verify/view.ts";

/** How the edge cannot be asked now, which says nothing of what it would answer. */
const UNREACHABLE: readonly ErrorCode[] = ["network", "storage", "rate_limited"];

/** What of a stream is to be sent. */
type Choice = (stream: Stream) => readonly PendingSubmission[];
/** What is done when a stream ends with what was sent. */
type OnEnd = (ended: PosternError) => void;

export class Submit {
  readonly #link: DeviceLink;
  readonly #reader: Lists;
  readonly #delivery: Delivery;
  readonly #box: DraftBox;
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: DeviceLink, reader: Lists) {
    this.#link = link;
    this.#reader = reader;
    this.#delivery = new Delivery(link);
    this.#box = new DraftBox(link);
  }

  /**
   * Hands in another person's certificate, for the owner to review. While the edge cannot be reached, or does not take what goes before
   * it, it is kept as a draft: `isDraft` is true then (spec: INBOX-15).
   *
   * @throws `stale` or `clock` when the edge shows a head that is not fresh: nothing is kept then (spec: INBOX-03); `malformed` for
   * bytes that are no certificate; `too_large` when too many drafts wait; `conflict` when its place in the stream is taken, so that it
   * is in doubt: see {@link status}
   */
  async certificate(der: Bytes, note: string, options: CallOptions = {}): Promise<Submitted> {
    return await this.#submit({ kind: "certificate", der, note }, options);
  }

  /** Hands in a message to be sent or stored. @param date Millis, or null; drafts and errors as of {@link certificate} */
  async message(
    message: { readonly channel: string; readonly raw: Bytes; readonly date?: number | null },
    options: CallOptions = {},
  ): Promise<Submitted> {
    const { channel, raw, date = null } = message;
    return await this.#submit({ kind: "message", channel, raw, date }, options);
  }

  /**
   * Asks the manager for a sign of life: a head that acknowledges it was made after it. Allowed under any head, since it is how a
   * device finds out whether its clock is wrong (spec: INBOX-03). It is bound to random bytes of its own, so that no older head can
   * acknowledge it; that none does proves nothing.
   */
  // spec: INBOX-17
  async ping(options: CallOptions = {}): Promise<Submitted> {
    return await this.#submit({ kind: "ping", nonce: this.#link.surroundings.random(32) }, options);
  }

  /**
   * Sends everything again that is kept and not in doubt, then the drafts; returns what the edge did not take this time. Behind one that
   * it does not take, nothing new of the stream is sent (spec: INBOX-09).
   *
   * @throws `stale` or `clock` under a head that is not fresh, when more than pings is kept: all of it stays so (spec: INBOX-03)
   */
  async flush(options: CallOptions = {}): Promise<readonly Submitted[]> {
    return await this.#inTurn(async () => {
      const { pending } = statusOf(await this.#state().read());
      if (pending.every(({ doubtful }) => doubtful)) return [];
      const view = await this.#present(options);
      if (typeof view === "string") return await this.#allWaiting(view);
      if (this.#isFresh(view)) {
        const earlier = await this.#resend((one) => isOfView(one, view) ? [] : one.pending, raise, options);
        const own = await this.#resend((one) => isOfView(one, view) ? one.pending : [], raise, options);
        return [...earlier, ...own, ...await this.#sendDrafts(own[0]?.waitingFor ?? null, raise, options)];
      }
      const waiting = await this.#sendPings(view, options);
      if (pending.some(({ kind, doubtful }) => kind !== "ping" && !doubtful)) this.#requireFresh(view);
      return waiting;
    });
  }

  /** What is handed in and not acknowledged, and what is; as of the newest head that this device has seen. */
  async status(): Promise<SubmitStatus> {
    return statusOf(await this.#state().read());
  }

  /**
   * The manager's receipt for a submission, also for one that was a draft, of the newest of which the device knows what they became; or
   * null while there is none.
   *
   * @throws `tampered` for a receipt of something else
   */
  async outcome(submitted: Submitted, options: CallOptions = {}): Promise<SubmissionOutcome | null> {
    const place = await this.#placeOf(submitted);
    if (place === null) return null;
    const name = concat(this.#link.verifier.profile.device, place.stream);
    const { rows: [row] } = await this.#reader.page({ kind: "receipt", name }, { from: place.number }, 1, options);
    if (row?.content.kind !== "receipt" || row.number !== place.number) return null;
    const { submission, outcome, text } = row.content.receipt;
    if (!equalBytes(submission, place.hash)) {
      throw new PosternError("tampered", "The manager's receipt is for another submission under this number");
    }
    return { outcome, text };
  }

  /** Forgets a stream in doubt and all that is pending in it. */
  async forget(stream: Bytes): Promise<void> {
    await this.#state().update(async (state) => {
      const streams = forgetStream(state.streams, stream);
      await dropSettled(this.#link.verifier.memory, state.streams, streams);
      return { state: { ...state, streams }, result: undefined };
    });
  }

  async #submit(draft: Draft, options: CallOptions): Promise<Submitted> {
    requireDraft(draft);
    return await this.#inTurn(async () => {
      const ready = await this.#ready(draft.kind, options);
      if (typeof ready === "string") return await this.#box.keep(draft, ready);
      const sent = await this.#delivery.sendFirst(draft, null, ready, options);
      if ("ended" in sent) throw sent.ended;
      return sent;
    });
  }

  /**
   * The view to seal something new under, all being sent that goes before it (spec: INBOX-09, INBOX-16); or why it has to wait. With
   * what was handed in before, a stream may end: another one begins in its place then.
   */
  async #ready(kind: Draft["kind"], options: CallOptions): Promise<View | ErrorCode> {
    const view = await this.#present(options);
    if (typeof view === "string") return view;
    if (!this.#isFresh(view)) {
      if (kind !== "ping") this.#requireFresh(view);
      const [waiting] = await this.#sendPings(view, options);
      return waiting?.waitingFor ?? view;
    }
    const undelivered: Choice = (one) => isOfView(one, view) ? one.pending.filter(({ delivered }) => !delivered) : [];
    const [sent] = await this.#resend(undelivered, ignore, options);
    if (sent !== undefined) return sent.waitingFor;
    if ((await this.#state().read()).drafts.waiting.length === 0) return view;
    const [draft] = await this.#sendDrafts(null, ignore, options);
    if (draft !== undefined) return draft.waitingFor;
    const newest = await this.#present(options);
    if (typeof newest !== "string" && kind !== "ping") this.#requireFresh(newest);
    return newest;
  }

  /** Sends again what is chosen of each open stream; what the edge does not take. */
  async #resend(choose: Choice, onEnd: OnEnd, options: CallOptions): Promise<readonly Waiting[]> {
    const { streams } = await this.#state().read();
    const waiting: Waiting[] = [];
    for (const stream of streams.filter(({ closed }) => !closed)) {
      const sent = await this.#delivery.sendAll(stream.id, choose(stream), options);
      if ("ended" in sent) onEnd(sent.ended);
      else waiting.push(...sent);
    }
    return waiting;
  }

  /**
   * Seals and sends the drafts, each under the newest head of its moment (spec: INBOX-03, INBOX-16).
   *
   * @param blocked why none of them can be sent, as something before them waits; null when nothing does
   */
  async #sendDrafts(
    blocked: ErrorCode | null,
    onEnd: OnEnd,
    options: CallOptions,
  ): Promise<readonly Waiting[]> {
    const waiting: Waiting[] = [];
    for (const draft of (await this.#state().read()).drafts.waiting) {
      const view = blocked ?? waiting[0]?.waitingFor ?? await this.#present(options);
      if (typeof view === "string") {
        waiting.push(waitingDraft(draft, view));
        continue;
      }
      this.#requireFresh(view);
      const content = await this.#box.load(draft.draft);
      const sent = await this.#delivery.sendFirst(content, draft.draft, view, options);
      if ("ended" in sent) onEnd(sent.ended);
      else if (!sent.delivered) waiting.push(sent);
    }
    return waiting;
  }

  /** Sends the pings that may be sent under a head that is not fresh (spec: INBOX-03); what the edge does not take. */
  async #sendPings(view: View, options: CallOptions): Promise<readonly Waiting[]> {
    const waiting = [...await this.#resend(sendablePings, ignore, options)];
    for (const draft of (await this.#state().read()).drafts.waiting) {
      if (draft.kind !== "ping") continue;
      const [first] = waiting;
      if (first !== undefined) {
        waiting.push(waitingDraft(draft, first.waitingFor));
        continue;
      }
      const sent = await this.#delivery.sendFirst(await this.#box.load(draft.draft), draft.draft, view, options);
      if (!("ended" in sent) && !sent.delivered) waiting.push(sent);
    }
    return waiting;
  }

  async #allWaiting(waitingFor: ErrorCode): Promise<readonly Waiting[]> {
    const { streams, drafts } = await this.#state().read();
    const sent = streams.filter((one) => !one.closed && hasUndelivered(one)).flatMap(({ id, pending }) =>
      pending.filter(({ delivered }) => !delivered).map((one) => waitingSubmission(id, one, waitingFor))
    );
    return [...sent, ...drafts.waiting.map((one) => waitingDraft(one, waitingFor))];
  }

  /** The newest view, asked for at this moment, so that nothing is sealed under one that has passed; or why the edge cannot be asked. */
  async #present(options: CallOptions): Promise<View | ErrorCode> {
    try {
      return await this.#link.present(options);
    } catch (error) {
      if (!isPosternError(error) || !UNREACHABLE.includes(error.code)) throw error;
      return error.code;
    }
  }

  #isFresh(view: View): boolean {
    return asOf(view, this.#link.surroundings.now()).freshness === "fresh";
  }

  /** @throws `stale`, `clock` */
  #requireFresh(view: View): void {
    requireFreshView(view, this.#link.surroundings.now());
  }

  /** Where a submission stands; null for a draft that waits, or that this device no longer knows. */
  async #placeOf(submitted: Submitted): Promise<Pick<Submitted, "stream" | "number" | "hash"> | null> {
    if (!submitted.isDraft) return submitted;
    const { drafts } = await this.#state().read();
    return drafts.placed.find(({ draft }) => draft === submitted.draft) ?? null;
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

function isOfView({ incarnation }: Stream, { keys }: View): boolean {
  return equalBytes(incarnation, keys.incarnation);
}

function raise(ended: PosternError): void {
  throw ended;
}

function ignore(): void {}

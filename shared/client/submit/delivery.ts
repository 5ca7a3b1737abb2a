/**
 * Makes submissions and sends them: numbered, sealed and kept before they are sent, and from then on sent to the byte
 * (shared/spec/inbox.md).
 */
import type { Bytes } from "../../bytes/bytes.ts";
import { sha256 } from "../../crypto/hash.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../errors.ts";
import { putPartCall, submitCall } from "../session/calls.ts";
import type { DeviceLink } from "../device_link.ts";
import type { Draft } from "./draft.ts";
import { removeDraft } from "../memory/draft_store.ts";
import { placeDraft } from "../memory/drafts.ts";
import type { CallOptions } from "../session/http.ts";
import { append, closeStream, hasUndelivered, markDelivered, nextPlace, openStream } from "../memory/outbox.ts";
import { keepSubmission, loadSubmission } from "../memory/outbox_store.ts";
import { sealSubmission } from "./seal_submission.ts";
import type { PendingSubmission, Stream } from "../memory/state.ts";
import { type Submitted, type Waiting, waitingSubmission } from "./submitted.ts";
import type { View } from "../verify/view.ts";

/** A submission with which its stream ended: it is in doubt. */
export interface Ended {
  readonly ended: PosternError;
}

/** What comes of a submission when it is sent. */
export type Sent = (Submitted & { readonly delivered: true }) | Waiting | Ended;

/** Failures after which the same bytes may be taken later. */
const MAY_PASS: readonly ErrorCode[] = ["network", "storage", "rate_limited", "too_large", "not_found"];
/** Failures that the same bytes meet again: their stream ends with them. */
const FINAL: readonly ErrorCode[] = ["conflict", "malformed", "forbidden", "unsupported"];

export class Delivery {
  readonly #link: DeviceLink;

  constructor(link: DeviceLink) {
    this.#link = link;
  }

  /**
   * Numbers, seals, keeps and sends; from when it is kept on, a crash loses nothing and a restart sends the same bytes. All that goes
   * before it in its stream has been sent.
   *
   * @param view under whose head and epoch it is sealed: of this moment (spec: INBOX-03)
   * @param draft its number, if it was a draft, which it is no longer then; else null
   */
  // spec: INBOX-16
  async sendFirst(content: Draft, draft: number | null, view: View, options: CallOptions): Promise<Sent> {
    const { verifier, surroundings } = this.#link;
    const { profile, keys, memory } = verifier;
    const { stream, pending } = await verifier.state.update(async (state) => {
      const { owner, incarnation } = view.keys;
      const open = openStream(state.streams, incarnation);
      // spec: INBOX-03: behind what this head does not allow to be sent, a ping begins a stream of its own.
      const isBlocked = open !== undefined && hasUndelivered(open);
      const next = nextPlace(isBlocked ? [] : state.streams, incarnation, surroundings.random(16));
      const { stream, number } = next;
      const place = { owner, incarnation, device: profile.device, stream, number };
      const now = surroundings.now();
      const sealed = await sealSubmission(content, view, place, next.previous, keys.sign, now, surroundings.random);
      await keepSubmission(memory, stream, number, sealed);
      const { hash, parts } = sealed;
      const pending = { number, hash, kind: content.kind, parts: parts.length, time: now, delivered: false, draft };
      const streams = append(state.streams, incarnation, stream, pending);
      const drafts = draft === null ? state.drafts : placeDraft(state.drafts, { draft, stream, number, hash });
      return { state: { ...state, streams, drafts }, result: { stream, pending } };
    });
    if (draft !== null) await removeDraft(memory, draft);
    return await this.send(stream, pending, options);
  }

  /** Sends a submission as it was kept. */
  async send(stream: Bytes, pending: PendingSubmission, options: CallOptions): Promise<Sent> {
    const { number, hash, kind, draft } = pending;
    const kept = await loadSubmission(this.#link.verifier.memory, stream, pending);
    if (kept === null) {
      const lost = "The device's memory has lost a submission; it cannot be sent again";
      return await this.#end(stream, new PosternError("storage", lost));
    }
    try {
      await this.#put(kept, options);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      if (FINAL.includes(error.code)) return await this.#end(stream, error);
      if (!MAY_PASS.includes(error.code)) throw error;
      return waitingSubmission(stream, pending, error.code);
    }
    await this.#change((streams) => markDelivered(streams, stream, number));
    return { stream, number, hash, kind, delivered: true, waitingFor: null, isDraft: false, draft };
  }

  /**
   * Sends submissions of one stream one after the other, none before those in front of it (spec: INBOX-09).
   *
   * @returns what the edge does not take, and what waits behind it; or with which the stream ended
   */
  async sendAll(
    stream: Bytes,
    all: readonly PendingSubmission[],
    options: CallOptions,
  ): Promise<readonly Waiting[] | Ended> {
    const waiting: Waiting[] = [];
    for (const pending of all) {
      const [first] = waiting;
      if (first === undefined) {
        const sent = await this.send(stream, pending, options);
        if ("ended" in sent) return sent;
        if (!sent.delivered) waiting.push(sent);
      } else if (!pending.delivered) {
        waiting.push(waitingSubmission(stream, pending, first.waitingFor));
      }
    }
    return waiting;
  }

  async #end(stream: Bytes, ended: PosternError): Promise<Ended> {
    await this.#change((streams) => closeStream(streams, stream));
    return { ended };
  }

  /** Parts first: the edge takes no submission whose parts it does not hold (spec: INBOX-04). */
  async #put(
    { signed, parts }: { readonly signed: Bytes; readonly parts: readonly Bytes[] },
    options: CallOptions,
  ): Promise<void> {
    const { owner } = this.#link.verifier.profile;
    for (const part of parts) await this.#link.ask(() => putPartCall(owner, sha256(part), part), options);
    await this.#link.ask(() => submitCall(owner, signed), options);
  }

  async #change(change: (streams: readonly Stream[]) => readonly Stream[]): Promise<void> {
    await this.#link.verifier.state.update((state) => {
      return Promise.resolve({ state: { ...state, streams: change(state.streams) }, result: undefined });
    });
  }
}

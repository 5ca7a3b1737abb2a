/** What callers learn of a submission: where it stands, or that it waits as a draft. */
import { type Bytes, EMPTY } from "../../bytes/bytes.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Outcome } from "../../protocol/records.ts";
import type { DeviceState, PendingSubmission, Stream, WaitingDraft } from "../memory/state.ts";

/** A submission by its place. Keep it to ask for its {@link Submit.outcome}. */
export interface Submitted {
  /** Empty for a draft, as is `hash`. */
  readonly stream: Bytes;
  /** From 1 on; 0 for a draft, which has no place yet. */
  readonly number: number;
  readonly hash: Bytes;
  readonly kind: PendingSubmission["kind"];
  /** Whether the edge holds it. If not, it is kept and sent again by {@link Submit.flush}: do not hand it in a second time. */
  readonly delivered: boolean;
  /** Why it is not delivered yet. */
  readonly waitingFor: ErrorCode | null;
  /** Never sent: it lies in the device's memory, and is numbered and sealed when it is sent (spec: INBOX-15). */
  readonly isDraft: boolean;
  /** The number of the draft that it is or was, which this device uses once; null if it was sent at once. */
  readonly draft: number | null;
}

/** A submission that the edge does not hold yet. */
export interface Waiting extends Submitted {
  readonly delivered: false;
  readonly waitingFor: ErrorCode;
}

/** A submission that no head has acknowledged, or a draft: then stream and hash are empty, and the number is 0. */
export interface PendingStatus extends PendingSubmission {
  readonly stream: Bytes;
  readonly isDraft: boolean;
  /**
   * The edge or this device's memory contradicts its place in the stream: it may have been taken or not, and is not sent again. If it
   * is never acknowledged, {@link Submit.forget} its stream.
   */
  readonly doubtful: boolean;
}

export interface SubmitStatus {
  /** What was sent, in the order of its streams; then the drafts, in the order in which they will be. */
  readonly pending: readonly PendingStatus[];
  /** The last number that the manager acknowledged in each stream. */
  readonly acknowledged: readonly { readonly stream: Bytes; readonly number: number }[];
}

/** What became of a submission (spec: ROW-14). */
export interface SubmissionOutcome {
  readonly outcome: Outcome;
  readonly text: string;
}

/** What a device's memory says of what was handed in. */
export function statusOf({ streams, drafts }: Pick<DeviceState, "streams" | "drafts">): SubmitStatus {
  const sent = ({ id, closed, pending }: Stream) =>
    pending.map((one) => ({ ...one, stream: id, isDraft: false, doubtful: closed }));
  const kept = drafts.waiting.map((one) => {
    return { ...one, ...NO_PLACE, parts: 0, delivered: false, isDraft: true, doubtful: false };
  });
  return {
    pending: [...streams.flatMap(sent), ...kept],
    acknowledged: streams.flatMap(({ id, acknowledged }) =>
      acknowledged === null ? [] : [{ stream: id, number: acknowledged.number }]
    ),
  };
}

/** One that was sent, or is to be sent again to the byte. */
export function waitingSubmission(
  stream: Bytes,
  { number, hash, kind, draft }: PendingSubmission,
  waitingFor: ErrorCode,
): Waiting {
  return { stream, number, hash, kind, delivered: false, waitingFor, isDraft: false, draft };
}

/** One that was never sent. */
export function waitingDraft({ draft, kind }: Pick<WaitingDraft, "draft" | "kind">, waitingFor: ErrorCode): Waiting {
  return { ...NO_PLACE, kind, delivered: false, waitingFor, isDraft: true, draft };
}

const NO_PLACE = { stream: EMPTY, number: 0, hash: EMPTY } as const;

/** Submissions that came before those they follow: kept until these come, as far as there is room. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { SignedSubmission, SubmissionPlace } from "../../shared/protocol/submission.ts";

type Place = Pick<SubmissionPlace, "device" | "stream" | "number">;

/**
 * Of each device at most `LIMITS.maxInboxWaitingBytes` are kept. What finds no room is not lost: the edge shows it again at the next
 * turn, until a head acknowledges it.
 */
export class Waiting<S extends SignedSubmission> {
  readonly #kept = new Map<string, S>();
  readonly #bytes = new Map<string, number>();
  /** Streams of which something found no room. */
  readonly #crowded = new Set<string>();

  add(signed: S): void {
    const { submission, bytes } = signed;
    if (this.#kept.has(name(submission))) return;
    const device = toHex(submission.device);
    const used = (this.#bytes.get(device) ?? 0) + bytes.length;
    if (used > LIMITS.maxInboxWaitingBytes) {
      this.#crowded.add(streamName(submission));
      return;
    }
    this.#bytes.set(device, used);
    this.#kept.set(name(submission), signed);
  }

  /** Takes out the submission that follows this one in its stream, if it is here. */
  follower({ submission }: S): S | null {
    const next = name({ ...submission, number: submission.number + 1 });
    const found = this.#kept.get(next);
    if (found === undefined) return null;
    this.#kept.delete(next);
    const device = toHex(submission.device);
    this.#bytes.set(device, (this.#bytes.get(device) ?? 0) - found.bytes.length);
    return found;
  }

  /** The streams that have a gap, as `device/stream`. */
  streams(): string[] {
    return [
      ...new Set([...this.#crowded, ...[...this.#kept.values()].map(({ submission }) => streamName(submission))]),
    ];
  }
}

/** A stream as `device/stream`. */
export function streamName({ device, stream }: Pick<SubmissionPlace, "device" | "stream">): string {
  return `${toHex(device)}/${toHex(stream)}`;
}

function name(place: Place): string {
  return `${streamName(place)}/${place.number}`;
}

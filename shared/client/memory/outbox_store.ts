/** The bytes of submissions that are not acknowledged yet, in the device's memory (spec: INBOX-09). */
import type { Bytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { removeDraft } from "./draft_store.ts";
import type { DeviceMemory } from "./memory.ts";
import type { PendingSubmission, Stream } from "./state.ts";

/** The bytes of a submission as they are sent. */
interface KeptSubmission {
  readonly signed: Bytes;
  /** Encrypted parts, in order. */
  readonly parts: readonly Bytes[];
}

/** Keeps a submission with its parts; whatever an earlier attempt left under the same number, which was never sent, is replaced. */
export async function keepSubmission(
  memory: DeviceMemory,
  stream: Bytes,
  number: number,
  { signed, parts }: KeptSubmission,
): Promise<void> {
  for (const [index, part] of parts.entries()) await memory.save(partName(stream, number, index), part);
  await memory.save(submissionName(stream, number), signed);
}

/** What was kept, or null when some of it is gone. */
export async function loadSubmission(
  memory: DeviceMemory,
  stream: Bytes,
  { number, parts }: PendingSubmission,
): Promise<KeptSubmission | null> {
  const signed = await memory.load(submissionName(stream, number));
  const loaded: Bytes[] = [];
  for (const name of partNames(stream, number, parts)) {
    const part = await memory.load(name);
    if (part === null) return null;
    loaded.push(part);
  }
  return signed === null ? null : { signed, parts: loaded };
}

/**
 * Removes the bytes of all submissions that are in `before` and not in `after`. It runs before the state is saved: a crash in between
 * costs bytes that the next head says are not needed, instead of bytes that nobody ever removes.
 */
export async function dropSettled(
  memory: DeviceMemory,
  before: readonly Stream[],
  after: readonly Stream[],
): Promise<void> {
  const kept = new Set(after.flatMap(({ id, pending }) => pending.map(({ number }) => submissionName(id, number))));
  for (const { id, pending } of before) {
    for (const { number, parts, draft } of pending) {
      if (kept.has(submissionName(id, number))) continue;
      for (const name of partNames(id, number, parts)) await memory.remove(name);
      await memory.remove(submissionName(id, number));
      // It went when it became this submission, unless a crash came in between.
      if (draft !== null) await removeDraft(memory, draft);
    }
  }
}

function submissionName(stream: Bytes, number: number): string {
  return `outbox-${toHex(stream)}-${number}`;
}

function partName(stream: Bytes, number: number, index: number): string {
  return `${submissionName(stream, number)}-${index}`;
}

function partNames(stream: Bytes, number: number, parts: number): string[] {
  return Array.from({ length: parts }, (_, index) => partName(stream, number, index));
}

/** What the owner's devices handed in and the manager has not taken yet, as their copies show it (spec: INBOX-10). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { type ErrorCode, isPosternError, PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { DeviceContent } from "../protocol/plaintexts.ts";
import { requireSignature } from "../protocol/signed.ts";
import { decodeSignedSubmission, openCopy, type SignedSubmission } from "../protocol/submission.ts";
import { decodePayload } from "../protocol/submission_payload.ts";
import { LISTS } from "../protocol/token.ts";
import { inboxCall } from "./calls.ts";
import type { DeviceLink } from "./device_link.ts";
import type { CallOptions } from "./http.ts";
import { type Lists, onlyRow } from "./lists.ts";
import type { View } from "./view.ts";

/** A certificate that a device handed in: nobody has reviewed it, and nothing may rely on it. */
export interface PendingCertificate {
  readonly fingerprint: Bytes;
  readonly der: Bytes;
  readonly note: string;
  readonly status: "waiting";
  readonly reviewed: false;
  /** Who handed it in. */
  readonly device: Bytes;
  readonly deviceName: string;
  readonly isOwn: boolean;
  /** Millis, by that device's clock. */
  readonly time: number;
}

/** A submission that is shown to nobody, and why. */
export interface IgnoredSubmission {
  readonly device: Bytes;
  readonly number: number;
  /** `epoch_gone` when it was sealed in an epoch that has passed: it comes back with the manager's next push. */
  readonly code: ErrorCode;
  readonly message: string;
}

export interface PendingCertificates {
  readonly found: readonly PendingCertificate[];
  /** To be shown to the user: an edge or a device that misbehaves, or an epoch that turned. */
  readonly ignored: readonly IgnoredSubmission[];
}

const PAGE_ENTRIES = 100;

/** The devices that were asked for in one reading, by id in hexadecimal. */
type Devices = Map<string, Promise<DeviceContent>>;

export class PendingReader {
  readonly #link: DeviceLink;
  readonly #reader: Lists;

  constructor(link: DeviceLink, reader: Lists) {
    this.#link = link;
    this.#reader = reader;
  }

  /** All pending certificates. */
  async read(options: CallOptions = {}): Promise<PendingCertificates> {
    const { owner } = this.#link.verifier.profile;
    // Asked for anew each time: a device may have been revoked since.
    const devices: Devices = new Map();
    const found: PendingCertificate[] = [];
    const ignored: IgnoredSubmission[] = [];
    let entries = 0;
    for (let after: number | null = 0; after !== null;) {
      const from: number = after;
      const { answer, view } = await this.#link.ask(() => inboxCall(owner, from, PAGE_ENTRIES), options);
      entries += answer.entries.length;
      requireProgress(answer.entries.map(([position]) => position), from, answer.next, entries);
      for (const [, bytes] of answer.entries) {
        const outcome = await this.#open(view, bytes, devices, options);
        if (outcome !== null) "code" in outcome ? ignored.push(outcome) : found.push(outcome);
      }
      after = answer.next;
    }
    return { found, ignored };
  }

  async #open(
    view: View,
    bytes: Bytes,
    devices: Devices,
    options: CallOptions,
  ): Promise<PendingCertificate | IgnoredSubmission | null> {
    const signed = decodeSignedSubmission(bytes);
    const { device, number, copy } = signed.submission;
    const isOwn = equalBytes(device, this.#link.verifier.profile.device);
    if (isOwn && copy === null) return null;
    try {
      return await this.#openCopy(view, signed, isOwn, devices, options);
    } catch (error) {
      if (!isPosternError(error) || !SUBMISSION_FAULTS.includes(error.code)) throw error;
      return { device, number, code: error.code, message: error.message };
    }
  }

  async #openCopy(
    view: View,
    { submission, bytes, signature }: SignedSubmission,
    isOwn: boolean,
    devices: Devices,
    options: CallOptions,
  ): Promise<PendingCertificate> {
    const { device, copy } = submission;
    const isHere = equalBytes(submission.owner, view.keys.owner) &&
      equalBytes(submission.incarnation, view.keys.incarnation);
    if (copy === null || !isHere) throw new PosternError("tampered", "A submission is not for this device to see");
    const sender = await this.#device(device, devices, options);
    await requireSignature(sender.publicKey, signature, bytes, "submission");
    if (submission.epoch !== view.keys.epoch) {
      throw new PosternError("epoch_gone", `The submission was sealed in epoch ${submission.epoch}, which has passed`);
    }
    const payload = decodePayload(await openCopy(view.keys, submission, copy));
    if (payload.kind !== "certificate") throw new PosternError("tampered", "A copy of something that has none");
    return {
      ...{ fingerprint: sha256(payload.der), der: payload.der, note: payload.note, status: "waiting", reviewed: false },
      ...{ device, deviceName: sender.name, isOwn, time: submission.time },
    };
  }

  /** The device's own row, which alone says with which key it signs. */
  #device(id: Bytes, devices: Devices, options: CallOptions): Promise<DeviceContent> {
    const known = devices.get(toHex(id));
    if (known !== undefined) return known;
    const asked = this.#reader.page(LISTS.device(id), { from: 0 }, 2, options).then((page) => {
      const row = onlyRow(page);
      if (row?.content.kind !== "device") {
        throw new PosternError("not_found", "The device that handed it in is no more");
      }
      return row.content.device;
    });
    devices.set(toHex(id), asked);
    return asked;
  }
}

/** Faults of one submission, which must not hide the others. */
const SUBMISSION_FAULTS: readonly ErrorCode[] = [
  ...["tampered", "malformed", "unsupported", "epoch_gone", "not_found", "too_large"] as const,
];

/** Positions rise from page to page, and end. */
function requireProgress(positions: readonly number[], after: number, next: number | null, entries: number): void {
  const rises = positions.every((position, index) => position > (positions[index - 1] ?? after));
  const goesOn = next === null || (positions.length > 0 && next >= (positions.at(-1) ?? 0));
  if (!rises || !goesOn) throw new PosternError("tampered", "The edge lists submissions out of order");
  if (entries > LIMITS.maxInboxSubmissions) {
    throw new PosternError(
      "too_large",
      `The edge lists more submissions than the ${LIMITS.maxInboxSubmissions} that it may`,
    );
  }
}

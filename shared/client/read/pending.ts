/** What the owner's devices handed in and the manager has not taken yet, as their copies show it (spec: INBOX-10). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { sha256 } from "../../crypto/hash.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { DeviceContent } from "../../protocol/plaintexts.ts";
import { requireSignature } from "../../protocol/signed.ts";
import { decodeSignedSubmission, openCopy, type SignedSubmission } from "../../protocol/submission.ts";
import { decodePayload } from "../../protocol/submission_payload.ts";
import { LISTS } from "../../protocol/token.ts";
import { inboxCall } from "../session/calls.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import { type Lists, onlyRow } from "./lists.ts";
import { PendingChains, type PendingFault, type ShownPending, type UnseenSubmissions } from "./pending_chains.ts";
import type { AsOf, View } from "../verify/view.ts";

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
  /**
   * `epoch_gone` when it was sealed in an epoch that has passed, and comes back with the manager's next push; or before a restore, and
   * waits for the owner.
   */
  readonly code: ErrorCode;
  readonly message: string;
}

/** As far as can be told, all that waits: of what the edge hides at the end of another device's stream, nothing shows before a head. */
export interface PendingCertificates {
  readonly found: readonly PendingCertificate[];
  /** To be shown to the user: an edge or a device that misbehaves, or an epoch that turned. */
  readonly ignored: readonly IgnoredSubmission[];
  /** Not empty: the edge, or the device named, misbehaves. To be shown to the user (spec: INBOX-13, INBOX-14). */
  readonly faults: readonly PendingFault[];
  /** What went by since this device's program last asked. Nothing at the first time. */
  readonly unseen: readonly UnseenSubmissions[];
  /** The head that it was held against. */
  readonly asOf: AsOf;
}

const PAGE_ENTRIES = 100;
/** Each is asked for by itself: all that there can be, and as many that were revoked and whose submissions wait to be cleared. */
const MOST_DEVICES = 2 * LIMITS.maxDevices;

/** The devices that were asked for in one reading, by id in hexadecimal. */
type Devices = Map<string, Promise<DeviceContent>>;

/** One pass through everything that the edge shows as pending. */
interface Listing {
  readonly view: View;
  readonly chains: PendingChains;
  readonly found: PendingCertificate[];
  readonly ignored: IgnoredSubmission[];
  /** Asked for anew each time: a device may have been revoked since. */
  readonly devices: Devices;
  /** Something was sealed in a later epoch than the view's. */
  isBehind: boolean;
}

export class PendingReader {
  readonly #link: DeviceLink;
  readonly #reader: Lists;
  #shown: ShownPending | null = null;

  constructor(link: DeviceLink, reader: Lists) {
    this.#link = link;
    this.#reader = reader;
  }

  /**
   * All pending certificates, held against the newest head (spec: INBOX-13).
   *
   * @throws `tampered` for a listing that is out of order or does not end; what `DeviceLink.refresh` throws
   */
  async read(options: CallOptions = {}): Promise<PendingCertificates> {
    let view = await this.#link.refresh(options);
    for (let rounds = 0;; rounds++) {
      const listing = await this.#list(view, options);
      const mayBeOld = (listing.isBehind || listing.chains.hasGap) && rounds < LIMITS.maxRefreshes;
      // What a head took while this was read is no longer shown, and not missing.
      const newest = mayBeOld ? await this.#link.refresh(options) : view;
      if (equalBytes(newest.head.hash, view.head.hash)) return this.#report(listing);
      view = newest;
    }
  }

  #report({ view, chains, found, ignored }: Listing): PendingCertificates {
    const before = this.#shown;
    this.#shown = chains.shown();
    const unseen = before === null ? [] : chains.unseen(before, this.#link.verifier.profile.device);
    return { found, ignored, faults: chains.faults, unseen, asOf: this.#reader.present(view) };
  }

  async #list(view: View, options: CallOptions): Promise<Listing> {
    const { profile, state } = this.#link.verifier;
    const { streams } = await state.read();
    const chains = new PendingChains(view.head.head);
    const listing: Listing = { view, chains, found: [], ignored: [], devices: new Map(), isBehind: false };
    let entries = 0;
    for (let after: number | null = 0; after !== null;) {
      const from: number = after;
      const { answer } = await this.#link.ask(() => inboxCall(profile.owner, from, PAGE_ENTRIES), options);
      entries += answer.entries.length;
      requireProgress(answer.entries.map(([position]) => position), from, answer.next, entries);
      for (const [, bytes] of answer.entries) await this.#add(listing, bytes, options);
      after = answer.next;
    }
    chains.requireOwn(profile.device, streams);
    return listing;
  }

  async #add(listing: Listing, bytes: Bytes, options: CallOptions): Promise<void> {
    const signed = decodeSignedSubmission(bytes);
    const { device, number, copy } = signed.submission;
    try {
      const found = await this.#judge(listing, signed, options);
      if (found !== null) listing.found.push(found);
    } catch (error) {
      if (!isPosternError(error) || !SUBMISSION_FAULTS.includes(error.code)) throw error;
      // What a device that is no more left there for the manager alone concerns nobody.
      if (copy === null && error.code === "not_found") return;
      listing.ignored.push({ device, number, code: error.code, message: error.message });
    }
  }

  /** The certificate to be shown; null for what is not for devices, was taken already, or contradicts its stream. */
  async #judge(listing: Listing, signed: SignedSubmission, options: CallOptions): Promise<PendingCertificate | null> {
    const { submission, bytes, signature } = signed;
    const { view: { keys }, chains, devices } = listing;
    const { device, copy } = submission;
    if (!equalBytes(submission.owner, keys.owner)) {
      throw new PosternError("tampered", "A submission is not for this device to see");
    }
    const sender = await this.#device(device, devices, options);
    await requireSignature(sender.publicKey, signature, bytes, "submission");
    const isOfThisLife = equalBytes(submission.incarnation, keys.incarnation);
    if (isOfThisLife && chains.add(signed) !== "pending") return null;
    if (copy === null || chains.isTaken(signed)) return null;
    if (!isOfThisLife) {
      throw new PosternError("epoch_gone", "The submission was sealed in another incarnation, and waits for the owner");
    }
    if (submission.epoch > keys.epoch) listing.isBehind = true;
    if (submission.epoch !== keys.epoch) {
      throw new PosternError("epoch_gone", `The submission was sealed in epoch ${submission.epoch}, not ${keys.epoch}`);
    }
    const payload = decodePayload(await openCopy(keys, submission, copy));
    if (payload.kind !== "certificate") throw new PosternError("tampered", "A copy of something that has none");
    const { der, note } = payload;
    const isOwn = equalBytes(device, this.#link.verifier.profile.device);
    return {
      ...{ fingerprint: sha256(der), der, note, status: "waiting", reviewed: false },
      ...{ device, deviceName: sender.name, isOwn, time: submission.time },
    };
  }

  /** The device's own row, which alone says with which key it signs. */
  #device(id: Bytes, devices: Devices, options: CallOptions): Promise<DeviceContent> {
    const known = devices.get(toHex(id));
    if (known !== undefined) return known;
    if (devices.size >= MOST_DEVICES) {
      throw new PosternError("too_large", `The edge shows submissions of more than ${MOST_DEVICES} devices`);
    }
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

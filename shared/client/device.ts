/** A device of the owner's: reads what the manager keeps at the edge, believes none of it unchecked, and hands things in. */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { headCode, headText, parseOtherHead } from "../protocol/head_code.ts";
import { Certificates } from "./read/certificates.ts";
import { compareHeads, type HeadComparison } from "./compare_heads.ts";
import type { CopyStore } from "./memory/copy_store.ts";
import type { DeviceKeys } from "./identity/device_keys.ts";
import { DeviceLink } from "./device_link.ts";
import { type FreshnessReport, freshnessReport } from "./freshness.ts";
import type { CallOptions } from "./session/http.ts";
import { ListReader } from "./read/list_reader.ts";
import type { StaleReads } from "./read/lists.ts";
import { LocalCopy } from "./copy/local_copy.ts";
import type { DeviceMemory } from "./memory/memory.ts";
import { Messages } from "./read/messages.ts";
import { PendingReader } from "./read/pending.ts";
import type { DeviceProfile } from "./identity/profile.ts";
import { Submit } from "./submit/submit.ts";
import { runtimeSurroundings, type Surroundings } from "./surroundings.ts";
import { Tables, type VerifyReport } from "./read/tables.ts";
import { type Restore, Verifier } from "./verify/verifier.ts";
import { type HeadReport, reportHead } from "./verify/view.ts";

/** What a device is made of. */
export interface DeviceParts {
  readonly profile: DeviceProfile;
  readonly keys: DeviceKeys;
  /** Of this one device, used by one process at a time. */
  readonly memory: DeviceMemory;
  /** Where the local copy lies, if there is to be one. */
  readonly copy?: CopyStore;
  /** The runtime's own if absent. */
  readonly surroundings?: Surroundings;
  /** Whether to read under a head that is overdue, marked so (the default), or to refuse with `stale` or `clock` (spec: HEAD-04). */
  readonly staleReads?: StaleReads;
}

/** A head's name for comparing. */
export interface HeadName {
  readonly generation: number;
  /** `1234:XXXX-XXXX-XXXX-XXXX` */
  readonly code: string;
  /** `postern-head:…`, about 150 characters. */
  readonly text: string;
}

export class PosternDevice {
  readonly certificates: Certificates;
  readonly messages: Messages;
  readonly tables: Tables;
  readonly submit: Submit;
  /** The local copy; null for a device that was given no place for one. */
  readonly copy: LocalCopy | null;
  readonly #link: DeviceLink;
  readonly #now: () => number;

  constructor(parts: DeviceParts) {
    const { profile, keys, memory, surroundings = runtimeSurroundings(), staleReads = "mark" } = parts;
    this.#link = new DeviceLink(new Verifier(profile, keys, memory, surroundings.now), surroundings);
    this.#now = surroundings.now;
    const reader = new ListReader(this.#link, staleReads);
    const pending = new PendingReader(this.#link, reader);
    this.certificates = new Certificates(reader, pending, surroundings.now);
    this.messages = new Messages(reader);
    this.tables = new Tables(this.#link, reader);
    this.copy = parts.copy === undefined ? null : new LocalCopy(this.#link, parts.copy, pending, staleReads);
    this.submit = new Submit(this.#link, reader);
  }

  /**
   * Logs in unless that is done: two round trips. Every other method logs in by itself when it has to.
   *
   * @throws `unauthorized`, `network`; `tampered`, `rolled_back`, `forked`, `withheld` when the edge shows something else than the
   * owner's newest state; `restored` until {@link confirmRestore}; `storage` without the memory of pairing
   */
  async login(options: CallOptions = {}): Promise<HeadReport> {
    return reportHead(await this.#link.view(options), this.#now());
  }

  /** The newest head, fetched now. */
  async head(options: CallOptions = {}): Promise<HeadReport> {
    return reportHead(await this.#link.refresh(options), this.#now());
  }

  /** How fresh this device's data is, from its memory alone: nothing is asked (spec: HEAD-10). Of the local copy: `copy.asOf()`. */
  async freshness(): Promise<FreshnessReport> {
    const { verifier } = this.#link;
    return freshnessReport(await verifier.state.read(), verifier.verified.last, this.#now());
  }

  /**
   * The newest head that this device verified, for another device or the manager to compare: a code to be read out, and a text for a QR
   * code. From memory alone.
   *
   * @throws `not_found` before a head was verified
   */
  async headCode(): Promise<HeadName> {
    const newest = await this.#link.verifier.newest();
    if (newest === null) throw new PosternError("not_found", "No head was verified yet: log in first");
    return { generation: newest.generation, code: headCode(newest), text: headText(newest) };
  }

  /**
   * Compares another device's or the manager's {@link headCode}, code or text, with what this device was shown. It must have come on a
   * way that the edge is not on.
   *
   * @throws `forked` when the two were shown different histories; `withheld` when the edge does not show this device what it showed the
   * other; `malformed`, and `usage` for another owner's
   */
  async compareHeadCode(other: string, options: CallOptions = {}): Promise<HeadComparison> {
    return await compareHeads(this.#link, parseOtherHead(other), options);
  }

  /** Verifies everything that the edge holds for the owner, at one generation. @throws `tampered`, `withheld` */
  async verifyAll(options: CallOptions = {}): Promise<VerifyReport> {
    return await this.tables.verifyAll(options);
  }

  /** The restore that {@link login} refused with `restored`, to be shown to the user (spec: STMT-03). */
  get restore(): Restore | null {
    return this.#link.verifier.restore;
  }

  /** The user has asked the owner: yes, the manager was restored. @param incarnation of {@link restore} */
  async confirmRestore(incarnation: Bytes): Promise<void> {
    await this.#link.verifier.confirm(incarnation);
  }

  /** Ends the session, here in any case and at the edge if it can be reached. @throws `network` when it cannot */
  async logout(options: CallOptions = {}): Promise<void> {
    await this.#link.logout(options);
  }
}

/** Other people's certificates: looked up by fingerprint or subject, chained, and what still waits (shared/spec/rows.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { sha256 } from "../../crypto/hash.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import type { CertificateContent } from "../../protocol/plaintexts.ts";
import type { CertificateStatus } from "../../protocol/tables.ts";
import { LISTS } from "../../protocol/token.ts";
import { type Certificate, readCertificate } from "../../x509/certificate.ts";
import { findPath } from "../../x509/chain.ts";
import type { CanonicalDn } from "../../x509/dn.ts";
import { parseDn } from "../../x509/dn_parse.ts";
import type { PathResult } from "../../x509/path_result.ts";
import type { CallOptions } from "../session/http.ts";
import { type ListPage, type ListRow, type Lists, onlyRow } from "./lists.ts";
import type { PendingCertificates, PendingReader } from "./pending.ts";
import type { AsOf } from "../verify/view.ts";

/** A certificate with the owner's judgement of it. */
export interface CertificateEntry {
  readonly fingerprint: Bytes;
  readonly der: Bytes;
  /** Null for bytes that cannot be read, which are never usable. */
  readonly certificate: Certificate | null;
  /** Only `usable` may be relied on (spec: ROW-08). */
  readonly status: CertificateStatus;
  /** False while it waits for the owner's review. */
  readonly reviewed: boolean;
  /** Millis. */
  readonly added: number;
  readonly origin: CertificateContent["origin"];
  readonly note: string;
  /** Whether the owner trusts it to vouch for others, as long as it is usable. */
  readonly isAnchor: boolean;
  /** Why it is not usable, or empty: the manager's or the owner's words. */
  readonly reason: string;
}

/** What was found, of which state. */
export interface Found<T> {
  readonly found: T;
  readonly asOf: AsOf;
}

const STATUS: readonly CertificateStatus[] = ["blocked", "usable", "waiting"];

export class Certificates {
  readonly #reader: Lists;
  readonly #pending: PendingReader;
  readonly #now: () => number;

  constructor(reader: Lists, pending: PendingReader, now: () => number) {
    this.#reader = reader;
    this.#pending = pending;
    this.#now = now;
  }

  /** The certificate with this SHA-256 fingerprint; null when it is proven that there is none (spec: READ-09). */
  async byFingerprint(fingerprint: Bytes, options: CallOptions = {}): Promise<Found<CertificateEntry | null>> {
    const page = await this.#reader.page(LISTS.fingerprint(fingerprint), { from: 0 }, 2, options);
    const row = onlyRow(page);
    return { found: row === null ? null : entryOf(row), asOf: page.asOf };
  }

  /**
   * All certificates with this subject.
   *
   * @param subject as people write it (`CN=…,O=…`, RFC 4514)
   * @throws `malformed` for a text that is no name
   */
  async bySubject(subject: string, options: CallOptions = {}): Promise<Found<readonly CertificateEntry[]>> {
    return await this.byCanonicalSubject(parseDn(subject), options);
  }

  /** All certificates with this subject in its canonical form, as certificates themselves give it. */
  async byCanonicalSubject(
    subject: CanonicalDn,
    options: CallOptions = {},
  ): Promise<Found<readonly CertificateEntry[]>> {
    const found: CertificateEntry[] = [];
    let last: ListPage | null = null;
    for await (const page of this.#reader.all(LISTS.subject(subject), 0, options)) {
      found.push(...page.rows.filter(({ content }) => content.kind !== "cover").map(entryOf));
      last = page;
    }
    if (last === null) throw new PosternError("withheld", "The edge gave no answer about a subject");
    return { found, asOf: last.asOf };
  }

  /** Certificates that devices handed in and the manager has not taken yet. */
  async pending(options: CallOptions = {}): Promise<PendingCertificates> {
    return await this.#pending.read(options);
  }

  /**
   * Looks for a path from a certificate to one that the owner trusts to vouch for others, over usable certificates alone: as the
   * manager itself judges. A root that was merely let in vouches for nobody.
   *
   * @param purpose a dotted extended key usage that every certificate of the path must be good for
   */
  async chain(leaf: Certificate, purpose?: string, options: CallOptions = {}): Promise<PathResult> {
    const known = new Map<CanonicalDn, Promise<readonly CertificateEntry[]>>();
    const usable = (subject: CanonicalDn): Promise<readonly CertificateEntry[]> => {
      const before = known.get(subject);
      if (before !== undefined) return before;
      const asked = this.byCanonicalSubject(subject, options).then(({ found }) => found.filter(isUsable));
      known.set(subject, asked);
      return asked;
    };
    return await findPath(leaf, {
      candidates: async (subject) => (await usable(subject)).flatMap(certificateOf),
      anchors: async (subject) => (await usable(subject)).filter(({ isAnchor }) => isAnchor).flatMap(certificateOf),
      now: this.#now(),
      ...(purpose === undefined ? {} : { purpose }),
    });
  }
}

function isUsable({ status }: CertificateEntry): boolean {
  return status === "usable";
}

function certificateOf({ certificate }: CertificateEntry): Certificate[] {
  return certificate === null ? [] : [certificate];
}

/** @throws `tampered` unless the row holds a certificate, which its place has shown already */
export function entryOf({ content }: Pick<ListRow, "content">): CertificateEntry {
  if (content.kind !== "certificate") throw new PosternError("tampered", "A list of certificates holds something else");
  const { der, status, added, origin, note, isAnchor, reason } = content.certificate;
  const certificate = readOrNull(der);
  return {
    ...{ fingerprint: sha256(der), der, certificate, added, origin, note, isAnchor, reason, reviewed: status !== 2 },
    status: certificate === null ? "blocked" : STATUS[status] ?? "blocked",
  };
}

function readOrNull(der: Bytes): Certificate | null {
  try {
    return readCertificate(der);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return null;
  }
}

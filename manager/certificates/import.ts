/** Takes many certificates in: each judged, each added or told why not; one bad one never ends an import. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { CERTIFICATE_STATUS, type CertificateStatus } from "../../shared/protocol/tables.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { checkCertificate, type OwnersTrust } from "./check.ts";
import type { FoundCertificate } from "./file_content.ts";
import { addCertificate, decideCertificate, findCertificate, type JudgedCertificate } from "./repository.ts";
import { rejudgeWaiting } from "./rejudge.ts";
import { ownersTrust } from "./trust.ts";

export interface ImportOptions {
  /** The owner's word that these, new or known, are trusted; those that are authorities vouch for others from now on. */
  readonly isTrusted: boolean;
  readonly origin: "import" | "runtime";
  readonly note: string;
  readonly review: OwnersTrust["review"];
  /** Called after each: how many were looked at. */
  readonly onProgress?: (done: number) => void;
  readonly stop?: AbortSignal;
}

/** What came of an import. */
export interface ImportedCertificates {
  /** Those that became usable, also of those that waited before. */
  readonly usable: number;
  readonly waiting: number;
  readonly blocked: number;
  /** Of those, how many vouch for others now. */
  readonly anchors: number;
  /** Known before, and left as they were. */
  readonly known: number;
  readonly problems: readonly { readonly source: string; readonly error: PosternError }[];
}

/** Additions under way at once: they share one sync of the disk. */
const AT_ONCE = 64;

/** Imports what is found. `now` in Millis. What was added before an error, or before it was stopped, stays. */
export async function importCertificates(
  db: Database,
  found: AsyncIterable<FoundCertificate> | Iterable<FoundCertificate>,
  options: ImportOptions,
  now: number,
): Promise<ImportedCertificates> {
  const trust = await ownersTrust(db, options.review);
  const counts = { usable: 0, waiting: 0, blocked: 0, anchors: 0, known: 0 };
  const waiting = new Set<string>();
  const problems: { source: string; error: PosternError }[] = [];
  let done = 0;
  let group: Promise<void>[] = [];
  const take = async (item: FoundCertificate): Promise<void> => {
    try {
      if ("error" in item) throw item.error;
      const judged = await judge(item.der, trust, options, now);
      const isDecided = await addCertificate(db, judged, now) ||
        (options.isTrusted && await trustKnown(db, judged));
      counts[isDecided ? judged.status : "known"]++;
      if (isDecided && judged.isAnchor) counts.anchors++;
      if (isDecided && judged.status === "waiting") waiting.add(toHex(judged.certificate.fingerprint));
    } catch (error) {
      if (!isPosternError(error) || error.code === "storage") throw error;
      problems.push({ source: item.source, error });
    }
    options.onProgress?.(++done);
  };
  for await (const item of found) {
    options.stop?.throwIfAborted();
    group.push(take(item));
    if (group.length < AT_ONCE) continue;
    await Promise.all(group);
    group = [];
  }
  await Promise.all(group);
  // A certificate may stand before the one that vouches for it.
  const mayVouch = counts.waiting > 0 || counts.anchors > 0;
  const vouched = mayVouch ? await rejudgeWaiting(db, options.review, now) : [];
  for (const fingerprint of vouched) waiting.delete(toHex(fingerprint));
  return { ...counts, usable: counts.usable + vouched.length, waiting: waiting.size, problems };
}

/** The owner's word about a certificate that is here already, unless it is blocked. Returns false if that changes nothing. */
async function trustKnown(db: Database, { certificate, isAnchor, status }: JudgedCertificate): Promise<boolean> {
  const found = await findCertificate(db, certificate.fingerprint);
  if (found === null || status !== "usable" || found.status === CERTIFICATE_STATUS.blocked) return false;
  const wasAnchor = found.anchor === 1;
  if (found.status === CERTIFICATE_STATUS.usable && (wasAnchor || !isAnchor)) return false;
  await decideCertificate(db, certificate.fingerprint, { status, reason: "", isAnchor: isAnchor || wasAnchor });
  return true;
}

async function judge(der: Bytes, trust: OwnersTrust, options: ImportOptions, now: number): Promise<JudgedCertificate> {
  const { isTrusted, origin, note } = options;
  if (isTrusted) return { ...trusted(readCertificate(der), trust), origin, note };
  const verdict = await checkCertificate(der, trust, now);
  if (verdict.status === "usable") {
    return { certificate: verdict.certificate, status: "usable", reason: "", origin, note, isAnchor: false };
  }
  const { certificate, status, code, message } = verdict;
  if (certificate === undefined) throw new PosternError(code, message);
  return { certificate, status, reason: message, origin, note, isAnchor: false };
}

/** The owner's word counts for more than a missing path, but what the owner blocked before stays blocked. */
function trusted(certificate: Certificate, trust: OwnersTrust) {
  const isBlocked = trust.isBlocked(certificate.fingerprint);
  const status: CertificateStatus = isBlocked ? "blocked" : "usable";
  const reason = isBlocked ? "The owner blocked this certificate before" : "";
  return { certificate, status, reason, isAnchor: !isBlocked && certificate.isCa };
}

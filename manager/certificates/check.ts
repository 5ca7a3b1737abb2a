/**
 * Decides what becomes of a certificate that is new: usable at once, waiting for the owner's review, or blocked.
 *
 * Doubt is never resolved here. Usable is only what the owner's trust already covers and what is in every way ordinary;
 * blocked is only what is broken, forged, or was blocked before; the owner decides about everything in between.
 */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { readUsableKey } from "../../shared/crypto/spki.ts";
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";
import type { CertificateStatus } from "../../shared/protocol/tables.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { findPath, type SubjectLookup } from "../../shared/x509/chain.ts";
import type { PathFailure } from "../../shared/x509/path_result.ts";
import { verifyCertificate } from "../../shared/x509/verify.ts";

/** What the owner already decided. */
export interface OwnersTrust {
  /** Certificates that the owner trusts to vouch for others. */
  readonly anchors: SubjectLookup;
  /** Other certificates that are known and usable. */
  readonly candidates: SubjectLookup;
  /** Whether the certificate with this SHA-256 fingerprint was blocked; it then vouches for nothing either. */
  readonly isBlocked: (fingerprint: Bytes) => boolean;
  /** `all` sends even what chains to a trusted certificate to the owner first. */
  readonly review: "untrusted" | "all";
}

/** The decision; `code` and `message` say why it is not usable at once. */
export type Verdict =
  | { readonly status: "usable"; readonly certificate: Certificate; readonly path: readonly Certificate[] }
  | Refusal<"waiting", Certificate>
  | Refusal<"blocked", Certificate | undefined>;

interface Refusal<Status extends CertificateStatus, Found> {
  readonly status: Status;
  /** Undefined when the bytes are not a certificate. */
  readonly certificate: Found;
  readonly code: ErrorCode;
  readonly message: string;
}

/** RFC 5280 section 4.1.2.2: a positive number of at most 20 octets. */
const MAX_SERIAL_DIGITS = 40;

/** Decides about the bytes of one certificate; `now` in milliseconds since 1970. */
export async function checkCertificate(der: Bytes, trust: OwnersTrust, now: number): Promise<Verdict> {
  let certificate: Certificate;
  try {
    certificate = readCertificate(der);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return { status: "blocked", certificate: undefined, code: error.code, message: error.message };
  }
  if (trust.isBlocked(certificate.fingerprint)) {
    return { status: "blocked", certificate, code: "forbidden", message: "The owner blocked this certificate before" };
  }
  if (await isForgedRoot(certificate)) {
    const message = "The certificate says that it signed itself, and did not";
    return { status: "blocked", certificate, code: "tampered", message };
  }
  const result = await findPath(certificate, {
    anchors: unblocked(trust.anchors, trust.isBlocked),
    candidates: unblocked(trust.candidates, trust.isBlocked),
    now,
  });
  if (!result.ok) {
    const { code, message } = result;
    return { status: isForgery(result) ? "blocked" : "waiting", certificate, code, message };
  }
  const odd = oddity(certificate);
  if (odd !== undefined) return { status: "waiting", certificate, code: "unsupported", message: odd };
  if (trust.review === "all") {
    return { status: "waiting", certificate, code: "untrusted", message: "Every new certificate is to be reviewed" };
  }
  return { status: "usable", certificate, path: result.path };
}

/**
 * A signature that does not verify is a forgery only if a key identifier says which key it claims to be from. Without one, an
 * authority may simply have a newer key under the same name.
 */
function isForgery({ reason, certificate }: PathFailure): boolean {
  return reason === "tampered" && certificate.authorityKeyId !== undefined;
}

async function isForgedRoot(certificate: Certificate): Promise<boolean> {
  const { isSelfIssued, subjectKeyId, authorityKeyId } = certificate;
  if (!isSelfIssued || subjectKeyId === undefined || authorityKeyId === undefined) return false;
  if (!equalBytes(subjectKeyId, authorityKeyId)) return false;
  const outcome = await verifyCertificate(certificate, certificate.publicKey);
  return !outcome.ok && outcome.code === "tampered";
}

function unblocked(lookup: SubjectLookup, isBlocked: OwnersTrust["isBlocked"]): SubjectLookup {
  return async (subject) => (await lookup(subject)).filter(({ fingerprint }) => !isBlocked(fingerprint));
}

/** What is trusted and still so unusual that a person should see it. */
function oddity(certificate: Certificate): string | undefined {
  const { serial, spki } = certificate;
  if (/^-|^0+$/.test(serial) || serial.length > MAX_SERIAL_DIGITS) {
    return "The certificate's serial number is not a positive one of at most 20 bytes";
  }
  try {
    readUsableKey(spki);
    return undefined;
  } catch (error) {
    if (!isPosternError(error, "unsupported") && !isPosternError(error, "malformed")) throw error;
    return `The certificate's key cannot be used: ${error.message}`;
  }
}

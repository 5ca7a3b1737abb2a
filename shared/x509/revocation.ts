/** Whether anything in a path was revoked (RFC 5280 section 6.3), by the lists at hand. */
import { equalBytes } from "../bytes/bytes.ts";
import type { ErrorCode } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { displayDn } from "./dn.ts";
import { KEY_USAGE } from "./extensions.ts";
import { verifyIdentified } from "./verify.ts";

/** What is asked of the lists. */
export interface RevocationOptions {
  readonly crls: readonly Crl[];
  /** Whether each issuer in the path must have a list that is in force. */
  readonly required: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The lists that were used; or why the path is not to be relied on. */
export type RevocationResult = { readonly ok: true; readonly crls: readonly Crl[] } | RevocationFailure;

/** What is wrong, with the error code that it amounts to. */
export interface RevocationFailure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Looks up each certificate of a path but the last, which is trusted by itself, in the lists of its issuer. A list that names the
 * issuer and is not its own is an error, and so is one out of date: neither may pass for a list that revokes nothing.
 *
 * That a list is not older than one seen before is for the caller to know, by its number and `thisUpdate`.
 *
 * @param path each issued by the next
 */
// spec: CMS-19, CMS-20, CMS-21
export async function checkRevocation(
  path: readonly Certificate[],
  options: RevocationOptions,
): Promise<RevocationResult> {
  const used: Crl[] = [];
  for (const [place, issuer] of path.entries()) {
    const certificate = path[place - 1];
    if (certificate === undefined) continue;
    const crls = options.crls.filter((crl) => isListOf(crl, issuer));
    for (const crl of crls) {
      const wrong = await verifyCrl(crl, issuer, options.now);
      if (wrong !== undefined) return wrong;
    }
    const revocation = crls.map(({ revoked }) => revoked.get(certificate.serial)).find((one) => one !== undefined);
    if (revocation !== undefined) {
      const since = new Date(revocation.at).toISOString();
      return failure("revoked", certificate, `was revoked at ${since} (${revocation.reason})`);
    }
    if (!crls.some(({ nextUpdate }) => options.now < nextUpdate)) {
      if (crls.length > 0) {
        return failure("stale", issuer, `has a revocation list that is out of date; get the newest one`);
      }
      if (options.required) return failure("stale", issuer, `has no revocation list here, and one is required`);
    }
    used.push(...crls);
  }
  return { ok: true, crls: used };
}

/** Whether a list says that it is an issuer's: by name, and by the key's identifier where both have one, for keys may change. */
export function isListOf(crl: Crl, { subject, subjectKeyId }: Certificate): boolean {
  return crl.issuer === subject &&
    (crl.authorityKeyId === undefined || subjectKeyId === undefined || equalBytes(crl.authorityKeyId, subjectKeyId));
}

/** What is wrong with a list of this issuer, apart from being out of date; undefined for nothing. */
// spec: CMS-19
export async function verifyCrl(crl: Crl, issuer: Certificate, now: number): Promise<RevocationFailure | undefined> {
  if (issuer.keyUsage !== undefined && (issuer.keyUsage & KEY_USAGE.cRLSign) === 0) {
    return failure("untrusted", issuer, "may not sign revocation lists");
  }
  const signed = { bytes: crl.tbs, algorithm: crl.signatureAlgorithm, signature: crl.signature };
  const outcome = await verifyIdentified(signed, issuer.publicKey, "revocation list");
  if (!outcome.ok) return { ok: false, code: "signature", message: outcome.message };
  if (crl.thisUpdate > now + LIMITS.maxClockLeadMillis) {
    return failure("not_yet_valid", issuer, "has a revocation list from the future; look at the clock");
  }
  return undefined;
}

function failure(code: ErrorCode, { subjectName }: Certificate, found: string): RevocationFailure {
  return { ok: false, code, message: `The certificate of ${displayDn(subjectName) || "an empty name"} ${found}` };
}

/** Whether a certificate may sign releases: its purpose, and its path to a root that the caller has pinned. */
import { equalBytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { rsaBitsInBounds } from "../crypto/spki.ts";
import type { Certificate } from "../x509/certificate.ts";
import { bySubject, findPath } from "../x509/chain.ts";
import { displayDn } from "../x509/dn.ts";
import { KEY_USAGE, PURPOSE } from "../x509/extensions.ts";
import { badSignature } from "./errors.ts";

/**
 * Passes a certificate that is for signing code.
 *
 * @throws `untrusted` for any other purpose, an authority's certificate or one that signed itself; `signature` for a weak key
 */
// spec: CMS-13, CMS-08
export function requireCodeSigner(certificate: Certificate): void {
  const { publicKey, extKeyUsage, keyUsage, isCa, isSelfIssued } = certificate;
  if (publicKey.kind === "rsa" && !rsaBitsInBounds(publicKey.bits)) {
    throw badSignature(`is by a key that is not accepted: ${publicKey.description}`);
  }
  if (isSelfIssued) throw untrusted(certificate, "names itself as its issuer; a root signs certificates, not releases");
  if (isCa) throw untrusted(certificate, "is an authority's; an authority signs certificates, not releases");
  if (extKeyUsage?.includes(PURPOSE.codeSigning) !== true) throw untrusted(certificate, "is not for signing code");
  if (keyUsage !== undefined && (keyUsage & KEY_USAGE.digitalSignature) === 0) {
    throw untrusted(certificate, "is not for signatures over anything");
  }
}

/**
 * The path from the signer's certificate to one of the roots. Every other certificate of the file must be on it, or be a second
 * certificate of a key that is, as a root's that another root has signed.
 *
 * @throws `untrusted`, `expired`, `not_yet_valid`; `signature` for a certificate in the file that has nothing to do with the signer
 */
// spec: CMS-14, CMS-15
export async function releasePath(
  signer: Certificate,
  certificates: readonly Certificate[],
  roots: readonly Certificate[],
  now: number,
): Promise<readonly Certificate[]> {
  const result = await findPath(signer, {
    candidates: bySubject(certificates),
    anchors: bySubject(roots),
    now,
    purpose: PURPOSE.codeSigning,
  });
  if (!result.ok) {
    const code = result.code === "expired" || result.code === "not_yet_valid" ? result.code : "untrusted";
    throw new PosternError(code, result.message);
  }
  const { path } = result;
  const stray = certificates.find((one) => !path.some((known) => isSameKey(one, known)));
  if (stray !== undefined) {
    throw badSignature(`file holds a certificate that its signer has nothing to do with, of ${nameOf(stray)}`);
  }
  return path;
}

function isSameKey(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.fingerprint, b.fingerprint) || (a.subject === b.subject && a.isCa && equalBytes(a.spki, b.spki));
}

function untrusted(certificate: Certificate, found: string): PosternError {
  return new PosternError("untrusted", `The certificate of ${nameOf(certificate)} ${found}`);
}

function nameOf({ subjectName }: Certificate): string {
  return displayDn(subjectName) || "an empty name";
}

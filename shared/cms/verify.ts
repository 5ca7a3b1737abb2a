/**
 * Verifies that a file is a release's: signed, detached, by a certificate for signing code, with a path to a pinned root.
 *
 * `verifyDetached` is all of it, in order; its steps stand on their own so that each can be measured and tested.
 */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { digest, type Hash } from "../crypto/digest.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { Crl } from "../x509/crl.ts";
import { checkRevocation } from "../x509/revocation.ts";
import type { SignatureScheme } from "../x509/signature_scheme.ts";
import { verifySigned } from "../x509/verify.ts";
import { checkContent, type ContentMode } from "./content.ts";
import { badSignature } from "./errors.ts";
import { releasePath, requireCodeSigner } from "./release_path.ts";
import { readSignatureFile, type SignatureForm } from "./signature_file.ts";
import type { SignedData } from "./signed_data.ts";
import { signerCertificate } from "./signer_id.ts";

/** What an instance trusts, and when. */
export interface ReleaseTrust {
  /** Pinned: a path ends at one of these, whatever the file brings along. */
  readonly roots: readonly Certificate[];
  readonly crls?: readonly Crl[];
  /** Whether every issuer in the path must have a list that is in force. */
  readonly requireCrl?: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Who signed a file, and how. */
export interface VerifiedSigner {
  readonly certificate: Certificate;
  /** The signer's certificate first, the pinned root last. */
  readonly path: readonly Certificate[];
  readonly form: SignatureForm;
  readonly mode: ContentMode;
  readonly scheme: SignatureScheme;
  readonly hash: Hash;
  /** By the signer's word alone; milliseconds since 1970. */
  readonly signedAt: number | undefined;
  /** The revocation lists that were used. Whether they are older than ones seen before is for the caller to compare. */
  readonly crls: readonly Crl[];
}

/**
 * Verifies a detached signature.
 *
 * @param content what was signed, all of it
 * @param signature the file of the signature: DER, PEM, or the S/MIME message that `openssl cms -sign` writes
 * @throws `too_large`; `malformed` for what is no signature at all; `signature` for one that does not verify or is of a kind that is
 * not accepted; `untrusted`, `expired`, `not_yet_valid` for its certificates; `revoked`; `stale` for a revocation list out of date or
 * missing; `unsupported`
 */
export async function verifyDetached(content: Bytes, signature: Bytes, trust: ReleaseTrust): Promise<VerifiedSigner> {
  const file = readSignatureFile(signature, content.length);
  const { signed, form } = file;
  const mode = await checkContent(content, file);
  const certificate = signerCertificate(signed);
  await checkSignature(signed, certificate);
  await checkNamedCertificates(signed, certificate);
  requireCodeSigner(certificate);
  const path = await releasePath(certificate, signed.certificates, trust.roots, trust.now);
  checkSigningTime(signed, certificate, trust.now);
  const crls = await checkLists(path, trust);
  const { scheme, hash, attributes } = signed;
  return { certificate, path, form, mode, scheme, hash, signedAt: attributes.signingTime, crls };
}

/** @throws `signature` unless the attributes are signed by the certificate's key */
// spec: CMS-04
export async function checkSignature(
  { attributes, scheme, signature }: SignedData,
  signer: Certificate,
): Promise<void> {
  const outcome = await verifySigned({ bytes: attributes.der, scheme, signature }, signer.publicKey, "file");
  if (!outcome.ok) throw badSignature(`does not verify. ${outcome.message}`);
}

/** @throws `signature` when the signer named another certificate, or not all that are in the file though more than one */
// spec: CMS-09
export async function checkNamedCertificates(signed: SignedData, signer: Certificate): Promise<void> {
  const [first, ...others] = signed.attributes.signingCertificates ?? [];
  if (first === undefined) return;
  if (!equalBytes(await digest(first.hash, signer.der), first.digest)) {
    throw badSignature("was made with another certificate of the same key");
  }
  if (others.length === 0) return;
  const named = [first, ...others];
  for (const { der } of signed.certificates) {
    const matches = await Promise.all(named.map(async (one) => equalBytes(await digest(one.hash, der), one.digest)));
    if (!matches.includes(true)) throw badSignature("file holds a certificate that the signer did not name");
  }
}

/** @throws `signature` for a time before the certificate was valid; `not_yet_valid` for one to come */
// spec: CMS-06
export function checkSigningTime({ attributes }: SignedData, { notBefore, notAfter }: Certificate, now: number): void {
  // One that is not there is none too early and none too late.
  const { signingTime = notBefore } = attributes;
  if (signingTime > now + LIMITS.maxClockLeadMillis) {
    const when = new Date(signingTime).toISOString();
    throw new PosternError("not_yet_valid", `The file was signed at ${when}, which is to come; look at the clock`);
  }
  if (signingTime < notBefore || signingTime > notAfter) {
    throw badSignature("was made, as it says itself, when its certificate was not valid");
  }
}

/** @throws `revoked`, `stale`, `signature`, `untrusted`, `not_yet_valid` */
export async function checkLists(path: readonly Certificate[], trust: ReleaseTrust): Promise<readonly Crl[]> {
  const { crls = [], requireCrl = false, now } = trust;
  const result = await checkRevocation(path, { crls, required: requireCrl, now });
  if (!result.ok) throw new PosternError(result.code, result.message);
  return result.crls;
}

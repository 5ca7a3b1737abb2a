/**
 * The certificates of a publisher: a root, which instances pin; certificates that sign releases; and a root's second certificate, by
 * another root, with which instances that have pinned the old one come to trust the new one (spec: CMS-13, CMS-14, CMS-15).
 */
import type { Bytes } from "../bytes/bytes.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { context, TAG } from "../der/read.ts";
import { element, namedBits, oid, sequence, TRUE } from "../der/write.ts";
import { PosternError } from "../errors.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { canonicalDn, type Name, writeName } from "./dn.ts";
import { EXTENSION, KEY_USAGE, PURPOSE } from "./extensions.ts";
import { newSerial, requireIssuer, requireOrder, type Validity } from "./issue.ts";
import { keyId } from "./key_id.ts";
import { type CertificateSigner, extension, writeCertificate } from "./write_certificate.ts";

/** What a new certificate is about. */
export interface Subject {
  readonly name: Name;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Bytes;
}

/** A new root. It may issue further authorities, which a second certificate of another root is. @throws `usage` */
export async function issuePublisherRoot(
  signer: CertificateSigner,
  subject: Subject,
  validity: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  requireOrder(validity);
  const name = writeName(subject.name);
  const extensions = authorityExtensions(subject.spki);
  const fields = { serial: newSerial(random), issuer: name, subject: name, spki: subject.spki, extensions };
  return readCertificate(await writeCertificate({ ...fields, ...validity }, signer));
}

/**
 * A certificate that signs releases and nothing else.
 *
 * @param signer holds the key of `issuer`
 * @throws `usage` if the issuer may not issue, the validity does not lie within the issuer's, or both have one name
 */
// spec: CMS-13
export async function issueReleaseSigner(
  issuer: Certificate,
  signer: CertificateSigner,
  subject: Subject,
  validity: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  requireIssuer(issuer, validity);
  if (canonicalDn(subject.name) === issuer.subject) {
    throw new PosternError("usage", "A certificate that signs releases needs another name than its issuer has");
  }
  const extensions = [
    extension(EXTENSION.basicConstraints, true, sequence()),
    extension(EXTENSION.keyUsage, true, namedBits(KEY_USAGE.digitalSignature)),
    extension(EXTENSION.extKeyUsage, false, sequence(oid(PURPOSE.codeSigning))),
    extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, keyId(subject.spki))),
    issuerKey(issuer),
  ];
  const names = { issuer: writeName(issuer.subjectName), subject: writeName(subject.name) };
  const fields = { serial: newSerial(random), ...names, spki: subject.spki, extensions, ...validity };
  return readCertificate(await writeCertificate(fields, signer));
}

/**
 * A second certificate for a root, by another one: it leads whoever has pinned `issuer` to `root`.
 *
 * @param signer holds the key of `issuer`
 * @throws `usage` as {@link issueReleaseSigner}, or for what is no root
 */
// spec: CMS-15
export async function crossSign(
  issuer: Certificate,
  signer: CertificateSigner,
  root: Certificate,
  validity: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  requireIssuer(issuer, validity);
  if (!root.isCa || !root.isSelfIssued) throw new PosternError("usage", "Only a root gets a second certificate");
  if (root.subject === issuer.subject) {
    throw new PosternError("usage", "The new root needs another name than the old one");
  }
  const fields = {
    serial: newSerial(random),
    issuer: writeName(issuer.subjectName),
    subject: writeName(root.subjectName),
    spki: root.spki,
    extensions: [...authorityExtensions(root.spki, root.subjectKeyId), issuerKey(issuer)],
    ...validity,
  };
  return readCertificate(await writeCertificate(fields, signer));
}

function authorityExtensions(spki: Bytes, id: Bytes = keyId(spki)): Bytes[] {
  return [
    extension(EXTENSION.basicConstraints, true, sequence(TRUE)),
    extension(EXTENSION.keyUsage, true, namedBits(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)),
    extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, id)),
  ];
}

function issuerKey(issuer: Certificate): Bytes {
  const id = issuer.subjectKeyId ?? keyId(issuer.spki);
  return extension(EXTENSION.authorityKeyId, false, sequence(element(context(0), id)));
}

/**
 * The two kinds of certificates that Postern issues: the owner's root, and those of devices.
 *
 * Their subjects are random (spec: PAIR-04): a certificate travels in the clear where its holder logs in to other
 * services, and must not tell whose it is.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { PosternError } from "../errors.ts";
import { COMMON_NAME } from "./attribute_names.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { context, TAG } from "../der/read.ts";
import { element, namedBits, oid, sequence, TRUE, unsigned, utf8String } from "../der/write.ts";
import { type Name, writeName } from "./dn.ts";
import { EXTENSION, KEY_USAGE, PURPOSE } from "./extensions.ts";
import { keyId } from "./key_id.ts";
import { type PublicKey, readPublicKey } from "../crypto/public_key.ts";
import { type CertificateSigner, extension, writeCertificate } from "./write_certificate.ts";

/** From when until when a certificate is valid, both included. Milliseconds since 1970, cut to seconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Random bytes in the common name of a subject. */
const PSEUDONYM_BYTES = 16;
const SERIAL_BYTES = 16;

/**
 * A new root: a self-signed authority that may issue certificates of devices, but no further authorities.
 *
 * @param spki the public half of the signer's key, SubjectPublicKeyInfo in DER
 * @throws `usage` for a validity that ends before it begins
 */
export async function issueRoot(
  signer: CertificateSigner,
  spki: Bytes,
  validity: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  requireOrder(validity);
  const name = writeName(pseudonym(random));
  const usage = KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign;
  const extensions = [
    extension(EXTENSION.basicConstraints, true, sequence(TRUE, unsigned(Uint8Array.of(0)))),
    extension(EXTENSION.keyUsage, true, namedBits(usage)),
    extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, keyId(spki))),
  ];
  const fields = { serial: newSerial(random), issuer: name, subject: name, spki, extensions, ...validity };
  return readCertificate(await writeCertificate(fields, signer));
}

/**
 * A new certificate for a device's key.
 *
 * @param signer holds the key of `issuer`
 * @param spki the device's public key, SubjectPublicKeyInfo in DER
 * @throws `usage` if the issuer may not issue, or the validity does not lie within the issuer's; `malformed` or
 * `unsupported` for a key that Postern does not use
 */
export async function issueDevice(
  issuer: Certificate,
  signer: CertificateSigner,
  spki: Bytes,
  validity: Validity,
  random: RandomBytes,
): Promise<Certificate> {
  requireIssuer(issuer, validity);
  const extensions = [
    extension(EXTENSION.basicConstraints, true, sequence()),
    extension(EXTENSION.keyUsage, true, namedBits(deviceUsage(readPublicKey(spki)))),
    extension(EXTENSION.extKeyUsage, false, sequence(oid(PURPOSE.clientAuth))),
    extension(EXTENSION.subjectKeyId, false, element(TAG.octetString, keyId(spki))),
    extension(
      EXTENSION.authorityKeyId,
      false,
      sequence(element(context(0), issuer.subjectKeyId ?? keyId(issuer.spki))),
    ),
  ];
  const subject = writeName(pseudonym(random));
  const fields = { serial: newSerial(random), issuer: writeName(issuer.subjectName), subject, spki, extensions };
  return readCertificate(await writeCertificate({ ...fields, ...validity }, signer));
}

/** Passes an authority that is valid throughout. @throws `usage` */
export function requireIssuer(issuer: Certificate, validity: Validity): void {
  requireOrder(validity);
  if (!issuer.isCa || (issuer.keyUsage !== undefined && (issuer.keyUsage & KEY_USAGE.keyCertSign) === 0)) {
    throw new PosternError("usage", "The issuing certificate is not that of an authority; issue with a root");
  }
  if (seconds(validity.notBefore) < issuer.notBefore || seconds(validity.notAfter) > issuer.notAfter) {
    throw new PosternError("usage", "The certificate would be valid when its issuer is not; choose a shorter time");
  }
}

/** A name that says nothing: `CN=` and 32 hexadecimal digits. */
export function pseudonym(random: RandomBytes): Name {
  const text = toHex(random(PSEUDONYM_BYTES));
  return [[{ type: COMMON_NAME, text, der: utf8String(text) }]];
}

/** 128 bits with the highest set: never zero, always of the same length, and positive behind DER's sign octet. */
export function newSerial(random: RandomBytes): Bytes {
  const serial = random(SERIAL_BYTES);
  serial[0] = (serial[0] ?? 0) | 0x80;
  return serial;
}

/** Every device signs; a key that can also receive the sym key (spec: PAIR-05) is allowed to. */
function deviceUsage(key: PublicKey): number {
  switch (key.kind) {
    case "ed25519":
      return KEY_USAGE.digitalSignature;
    case "ec":
      return KEY_USAGE.digitalSignature | KEY_USAGE.keyAgreement;
    case "rsa":
      return KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment;
    case "other":
      throw new PosternError("unsupported", `A device's certificate cannot hold this key: ${key.description}`);
  }
}

/** @throws `usage` for a validity that ends before it begins */
export function requireOrder({ notBefore, notAfter }: Validity): void {
  if (seconds(notAfter) >= seconds(notBefore)) return;
  throw new PosternError("usage", "A certificate's validity must not end before it begins");
}

function seconds(millis: number): number {
  return Math.floor(millis / 1000) * 1000;
}

/**
 * Reads X.509 certificates (RFC 5280 section 4.1), strictly and before anything about them is known to be true.
 *
 * What is read even though it is unusual, because such certificates exist and must be found and shown: version 1,
 * serial numbers that are negative, zero or long, empty names, validity that ended or never was, keys and signatures of
 * unknown algorithms, unknown extensions. Whether such a certificate may be *used* is for `chain.ts` and its callers.
 * What is refused: anything that is not DER, is larger than `LIMITS`, or contradicts itself.
 */

import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { toHex } from "../bytes/encoding.ts";
import { sha256 } from "../crypto/hash.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AlgorithmIdentifier, readAlgorithm } from "../der/algorithm.ts";
import { readTime } from "./asn1_time.ts";
import { context, contextConstructed, DerReader, malformed, readInteger, readOctetBits } from "../der/read.ts";
import { readSmallInteger, readWhole, requireBits, TAG } from "../der/read.ts";
import { type CanonicalDn, canonicalDn, type Name, readName } from "./dn.ts";
import { type Extensions, NO_EXTENSIONS, readExtensions } from "./extensions.ts";
import { type PublicKey, readPublicKey } from "../crypto/public_key.ts";

/** A certificate that was read; nothing in it is verified. All bytes are views into `der`. */
export interface Certificate extends Extensions {
  readonly der: Bytes;
  /** SHA-256 over `der`. */
  readonly fingerprint: Bytes;
  readonly version: 1 | 2 | 3;
  /** Lower-case hex of the number, two digits a byte, with "-" before a negative one. */
  readonly serial: string;
  readonly subject: CanonicalDn;
  readonly issuer: CanonicalDn;
  /** For `displayDn`, and for comparing parts. */
  readonly subjectName: Name;
  readonly issuerName: Name;
  /** Both ends are included. Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo in DER, as WebCrypto imports it. */
  readonly spki: Bytes;
  readonly publicKey: PublicKey;
  /** Subject and issuer are the same name; says nothing about the key. */
  readonly isSelfIssued: boolean;
  /** What is signed, how, and the signature. */
  readonly tbs: Bytes;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Bytes;
}

/**
 * Reads one certificate from all of `der`.
 *
 * @throws `malformed`; `unsupported` for a version after 3 or a serial number above its limit; `too_large` for the
 * certificate or one of its names.
 */
export function readCertificate(der: Bytes): Certificate {
  if (der.length > LIMITS.maxCertificateBytes) {
    const found = `a certificate of ${der.length} bytes`;
    throw new PosternError("too_large", `${found}, at most ${LIMITS.maxCertificateBytes} are read`);
  }
  const outer = new DerReader(readWhole(der, TAG.sequence, "certificate"), "certificate");
  const tbs = outer.expect(TAG.sequence, "tbsCertificate");
  const signatureAlgorithm = readAlgorithm(outer.expect(TAG.sequence, "signatureAlgorithm"), "signatureAlgorithm");
  const signature = readOctetBits(outer.expect(TAG.bitString, "signature").content, "signature");
  outer.end();
  const fields = new DerReader(tbs.content, "tbsCertificate");
  const version = readVersion(fields);
  const serial = readSerial(fields.expect(TAG.integer, "serialNumber").content);
  // The signature covers only this copy of the algorithm: another one outside could ask for a weaker check.
  if (!equalBytes(fields.expect(TAG.sequence, "signature").whole, signatureAlgorithm.der)) {
    throw malformed("certificate", "names one signature algorithm inside and another outside");
  }
  const issuerName = readName(fields.expect(TAG.sequence, "issuer").whole, "issuer");
  const validity = new DerReader(fields.expect(TAG.sequence, "validity").content, "validity");
  const notBefore = readTime(validity.next(), "notBefore");
  const notAfter = readTime(validity.next(), "notAfter");
  validity.end();
  const subjectName = readName(fields.expect(TAG.sequence, "subject").whole, "subject");
  const spki = fields.expect(TAG.sequence, "subjectPublicKeyInfo").whole;
  const extensions = readRest(fields, version);
  const subject = canonicalDn(subjectName);
  const issuer = canonicalDn(issuerName);
  return {
    ...extensions,
    der,
    fingerprint: sha256(der),
    version,
    serial,
    subject,
    issuer,
    subjectName,
    issuerName,
    notBefore,
    notAfter,
    spki,
    publicKey: readPublicKey(spki),
    isSelfIssued: subject === issuer,
    tbs: tbs.whole,
    signatureAlgorithm,
    signature,
  };
}

function readVersion(fields: DerReader): 1 | 2 | 3 {
  const explicit = fields.optional(contextConstructed(0));
  if (explicit === undefined) return 1;
  switch (readSmallInteger(readWhole(explicit.content, TAG.integer, "version"), "version")) {
    case 0:
      throw malformed("version", "is written out although it is the default");
    case 1:
      return 2;
    case 2:
      return 3;
    default:
      throw new PosternError("unsupported", "a certificate of a version after 3");
  }
}

/** A serial number from the content of its INTEGER, as {@link Certificate.serial} has it. @throws `malformed`, `unsupported` */
export function readSerial(content: Bytes): string {
  const bytes = readInteger(content, "serialNumber");
  if (bytes.length > LIMITS.maxSerialBytes) {
    const found = `a serial number of ${bytes.length} bytes`;
    throw new PosternError("unsupported", `${found}, at most ${LIMITS.maxSerialBytes} are read`);
  }
  const first = bytes[0] ?? 0;
  if (first < 0x80) return toHex(first === 0 && bytes.length > 1 ? bytes.subarray(1) : bytes);
  const magnitude = (1n << BigInt(bytes.length * 8)) - BigInt(`0x${toHex(bytes)}`);
  const digits = magnitude.toString(16);
  return `-${digits.padStart(digits.length + (digits.length % 2), "0")}`;
}

/** Unique identifiers, which nobody uses and which are not kept, and extensions. */
function readRest(fields: DerReader, version: 1 | 2 | 3): Extensions {
  for (const tag of [context(1), context(2)]) {
    const identifier = fields.optional(tag);
    if (identifier === undefined) continue;
    if (version === 1) throw malformed("certificate", "version 1 with unique identifiers");
    requireBits(identifier.content, "unique identifier");
  }
  const explicit = fields.optional(contextConstructed(3));
  fields.end();
  if (explicit === undefined) return NO_EXTENSIONS;
  if (version !== 3) throw malformed("certificate", `version ${version} with extensions`);
  return readExtensions(explicit.content);
}

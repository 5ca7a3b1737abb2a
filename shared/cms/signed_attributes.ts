/** Signed attributes (RFC 5652 section 11): what is signed in place of the content. */
import { type Bytes, compareBytes, EMPTY } from "../bytes/bytes.ts";
import { type Hash, HASH_BYTES, hashOfOid } from "../crypto/digest.ts";
import { readAlgorithm } from "../der/algorithm.ts";
import { DerReader, type Element, malformed, readOid, readWhole, TAG } from "../der/read.ts";
import { element, oid, sequence, time } from "../der/write.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readTime } from "../x509/asn1_time.ts";
import { badSignature } from "./errors.ts";
import { CMS_OID } from "./oids.ts";

/** The digest of a certificate that the signer names. */
export interface NamedCertificate {
  readonly hash: Hash;
  readonly digest: Bytes;
}

/** What the signed attributes say. Those that are not here have no meaning, and are only signed. */
export interface SignedAttributes {
  /** The bytes that are signed: the SET, as such (RFC 5652 section 5.4). */
  readonly der: Bytes;
  readonly messageDigest: Bytes;
  /** Milliseconds since 1970, by the signer's word alone; undefined if it says nothing. */
  readonly signingTime: number | undefined;
  /** RFC 5035: the signer's certificate, and perhaps all that may stand in the path; undefined if it says nothing. */
  readonly signingCertificates: readonly NamedCertificate[] | undefined;
}

const WHAT = "signed attributes";

/**
 * Reads the attributes from their `[0] IMPLICIT` element.
 *
 * @throws `malformed`; `signature` when one that must be there is not, or says something else
 */
// spec: CMS-05, CMS-06, CMS-09
export function readSignedAttributes({ content }: Element): SignedAttributes {
  const values = readAttributes(content);
  const contentType = values.get(CMS_OID.contentType);
  const messageDigest = values.get(CMS_OID.messageDigest);
  if (contentType === undefined || messageDigest === undefined) {
    throw badSignature("lacks the signed content type or message digest");
  }
  const type = readOid(readWhole(contentType, TAG.oid, "content type"), "content type");
  if (type !== CMS_OID.data) throw badSignature(`is over the content type ${type}, not over plain data`);
  const signingTime = values.get(CMS_OID.signingTime);
  const signingCertificate = values.get(CMS_OID.signingCertificateV2);
  return {
    der: element(TAG.set, content),
    messageDigest: readWhole(messageDigest, TAG.octetString, "message digest"),
    signingTime: signingTime && readSigningTime(signingTime),
    signingCertificates: signingCertificate && readSigningCertificate(signingCertificate),
  };
}

/** Type, and the one value of it: none of those that are read may have several. */
function readAttributes(content: Bytes): ReadonlyMap<string, Bytes> {
  const values = new Map<string, Bytes>();
  const reader = new DerReader(content, WHAT);
  let previous = EMPTY;
  while (!reader.done) {
    const attribute = reader.expect(TAG.sequence, WHAT);
    if (compareBytes(previous, attribute.whole) > 0) throw malformed(WHAT, "are a SET out of order");
    previous = attribute.whole;
    const fields = new DerReader(attribute.content, WHAT);
    const type = readOid(fields.expect(TAG.oid, WHAT).content, WHAT);
    const set = new DerReader(fields.expect(TAG.set, WHAT).content, WHAT);
    fields.end();
    const value = set.next();
    set.end();
    if (values.has(type)) throw malformed(WHAT, `have ${type} twice`);
    if (values.size === LIMITS.maxSignedAttributes) {
      throw new PosternError("too_large", `A signature has at most ${LIMITS.maxSignedAttributes} signed attributes`);
    }
    values.set(type, value.whole);
  }
  return values;
}

function readSigningTime(value: Bytes): number {
  const reader = new DerReader(value, "signing time");
  return readTime(reader.next(), "signing time");
}

/** SigningCertificateV2; what it says of issuers and policies adds nothing to the digests. */
function readSigningCertificate(value: Bytes): readonly NamedCertificate[] {
  const what = "signing certificate";
  const outer = new DerReader(readWhole(value, TAG.sequence, what), what);
  const list = new DerReader(outer.expect(TAG.sequence, what).content, what);
  outer.optional(TAG.sequence);
  outer.end();
  const named: NamedCertificate[] = [];
  while (!list.done) {
    if (named.length === LIMITS.maxCmsCertificates) {
      throw new PosternError("too_large", `A signature names at most ${LIMITS.maxCmsCertificates} certificates`);
    }
    const fields = new DerReader(list.expect(TAG.sequence, what).content, what);
    const algorithm = fields.optional(TAG.sequence);
    const hash = algorithm === undefined ? "SHA-256" : hashOfOid(readAlgorithm(algorithm, what).oid);
    const digest = fields.expect(TAG.octetString, what).content;
    fields.optional(TAG.sequence);
    fields.end();
    if (hash === undefined) throw badSignature("names its certificate by a digest that is not accepted");
    if (digest.length !== HASH_BYTES[hash]) throw malformed(what, "is a digest of another length");
    named.push({ hash, digest });
  }
  if (named.length === 0) throw malformed(what, "is an empty list");
  return named;
}

/** What Postern signs. */
export interface NewAttributes {
  readonly messageDigest: Bytes;
  readonly signingTime: number;
  /** SHA-256 of the certificates in the file, the signer's first. */
  readonly fingerprints: readonly Bytes[];
}

/** The attributes as a SET in DER, which is what is signed. */
// spec: CMS-05, CMS-09
export function writeSignedAttributes({ messageDigest, signingTime, fingerprints }: NewAttributes): Bytes {
  const attribute = (type: string, value: Bytes) => sequence(oid(type), element(TAG.set, value));
  const named = fingerprints.map((fingerprint) => sequence(element(TAG.octetString, fingerprint)));
  const attributes = [
    attribute(CMS_OID.contentType, oid(CMS_OID.data)),
    attribute(CMS_OID.signingTime, time(signingTime)),
    attribute(CMS_OID.messageDigest, element(TAG.octetString, messageDigest)),
    attribute(CMS_OID.signingCertificateV2, sequence(sequence(...named))),
  ];
  return element(TAG.set, ...attributes.sort(compareBytes));
}

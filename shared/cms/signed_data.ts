/**
 * Reads the one form of CMS SignedData (RFC 5652 section 5) that signs files here: detached, by one signer, with signed attributes.
 *
 * Nothing in it is verified yet. What the signature does not cover has one accepted value, so that nobody can change a byte of a
 * signature and have another file that verifies as well.
 */
import { type Bytes, compareBytes, EMPTY, equalBytes } from "../bytes/bytes.ts";
import type { Hash } from "../crypto/digest.ts";
import { readAlgorithm } from "../der/algorithm.ts";
import {
  context,
  contextConstructed,
  DerReader,
  malformed,
  readOid,
  readSmallInteger,
  readWhole,
  TAG,
} from "../der/read.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Certificate, readCertificate } from "../x509/certificate.ts";
import type { SignatureScheme } from "../x509/signature_scheme.ts";
import { digestHash, signerScheme } from "./algorithms.ts";
import { badSignature } from "./errors.ts";
import { CMS_OID } from "./oids.ts";
import { readSignedAttributes, type SignedAttributes } from "./signed_attributes.ts";

/** How the signer's certificate is named: by IssuerAndSerialNumber in DER, or by its subject key identifier. */
export type SignerId =
  | { readonly kind: "issuerAndSerial"; readonly der: Bytes }
  | { readonly kind: "keyId"; readonly keyId: Bytes };

/** A signature over a file, read and not verified. */
export interface SignedData {
  /** Without any order, and none twice. */
  readonly certificates: readonly Certificate[];
  readonly signerId: SignerId;
  /** Of the content, of which `attributes` hold the digest. */
  readonly hash: Hash;
  readonly attributes: SignedAttributes;
  readonly scheme: SignatureScheme;
  /** Of the signer over the attributes, as CMS writes it. */
  readonly signature: Bytes;
}

const WHAT = "CMS signature";

/**
 * Reads a ContentInfo from all of its DER.
 *
 * @throws `malformed` for what is no CMS in DER; `signature` for CMS of another kind; `too_large`, `unsupported`
 */
// spec: CMS-03, CMS-04
export function readSignedData(der: Bytes): SignedData {
  if (der.length > LIMITS.maxCmsBytes) {
    throw new PosternError("too_large", `A signature has at most ${LIMITS.maxCmsBytes} bytes, this one ${der.length}`);
  }
  const outer = new DerReader(readWhole(der, TAG.sequence, WHAT), WHAT);
  const type = readOid(outer.expect(TAG.oid, WHAT).content, WHAT);
  if (type !== CMS_OID.signedData) throw badSignature(`file is CMS of the type ${type}, not a signature`);
  const inner = outer.expect(contextConstructed(0), WHAT);
  outer.end();
  const fields = new DerReader(readWhole(inner.content, TAG.sequence, WHAT), WHAT);
  const version = readVersion(fields);
  const digests = fields.expect(TAG.set, WHAT).content;
  requireDetached(fields.expect(TAG.sequence, WHAT).content);
  const certificates = readCertificates(fields.optional(contextConstructed(0))?.content ?? EMPTY);
  if (fields.peek() === contextConstructed(1)) {
    throw badSignature("file holds revocation lists; they are handed in beside it, never taken from it");
  }
  const signers = new DerReader(fields.expect(TAG.set, WHAT).content, WHAT);
  fields.end();
  if (signers.done) throw badSignature("file holds certificates, and no signature");
  const signer = signers.expect(TAG.sequence, WHAT).content;
  if (!signers.done) throw badSignature("file is by several signers; exactly one is accepted");
  return { certificates, ...readSigner(signer, version, digests) };
}

function readVersion(fields: DerReader): number {
  return readSmallInteger(fields.expect(TAG.integer, WHAT).content, "version");
}

function requireDetached(content: Bytes): void {
  const fields = new DerReader(content, WHAT);
  const type = readOid(fields.expect(TAG.oid, WHAT).content, WHAT);
  if (type !== CMS_OID.data) throw badSignature(`is over the content type ${type}, not over plain data`);
  if (!fields.done) throw badSignature("file holds what it signs; only a signature beside the file is accepted");
}

function readCertificates(content: Bytes): readonly Certificate[] {
  const certificates: Certificate[] = [];
  const reader = new DerReader(content, WHAT);
  let previous = EMPTY;
  while (!reader.done) {
    if (certificates.length === LIMITS.maxCmsCertificates) {
      throw new PosternError("too_large", `A signature has at most ${LIMITS.maxCmsCertificates} certificates`);
    }
    const { tag, whole } = reader.next();
    if (tag !== TAG.sequence) throw badSignature("file holds certificates of another kind than X.509");
    if (compareBytes(previous, whole) >= 0) throw malformed(WHAT, "has its certificates out of order");
    previous = whole;
    certificates.push(readCertificate(whole));
  }
  return certificates;
}

/** SignerInfo (RFC 5652 section 5.3). */
function readSigner(content: Bytes, version: number, digests: Bytes): Omit<SignedData, "certificates"> {
  const fields = new DerReader(content, WHAT);
  const signerVersion = readVersion(fields);
  const signerId = readSignerId(fields);
  // RFC 5652 sections 5.1 and 5.3; the two versions are the same one for what is accepted here.
  const expected = signerId.kind === "issuerAndSerial" ? 1 : 3;
  if (version !== expected || signerVersion !== expected) throw malformed(WHAT, "has a version that it must not have");
  const digest = fields.expect(TAG.sequence, WHAT);
  if (!equalBytes(digests, digest.whole)) throw malformed(WHAT, "lists other digests than its signer's");
  const hash = digestHash(readAlgorithm(digest, "digest algorithm"));
  const signed = fields.optional(contextConstructed(0));
  if (signed === undefined) throw badSignature("has no signed attributes; they are required");
  const attributes = readSignedAttributes(signed);
  const scheme = signerScheme(readAlgorithm(fields.expect(TAG.sequence, WHAT), "signature algorithm"), hash);
  const signature = fields.expect(TAG.octetString, WHAT).content;
  if (fields.peek() === contextConstructed(1)) {
    throw badSignature("has attributes that are not signed, such as a time stamp; they are not accepted");
  }
  fields.end();
  return { signerId, hash, attributes, scheme, signature };
}

function readSignerId(fields: DerReader): SignerId {
  const keyId = fields.optional(context(0));
  if (keyId !== undefined) return { kind: "keyId", keyId: keyId.content };
  return { kind: "issuerAndSerial", der: fields.expect(TAG.sequence, WHAT).whole };
}

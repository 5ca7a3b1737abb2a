/** Which certificate is the signer's (RFC 5652 section 5.3). */
import { type Bytes, equalBytes } from "../bytes/bytes.ts";
import { contextConstructed, DerReader, readWhole, TAG } from "../der/read.ts";
import { sequence } from "../der/write.ts";
import type { Certificate } from "../x509/certificate.ts";
import { badSignature } from "./errors.ts";
import type { SignedData } from "./signed_data.ts";

/** IssuerAndSerialNumber of a certificate, in its own bytes. */
export function issuerAndSerial({ tbs }: Certificate): Bytes {
  const what = "certificate";
  const fields = new DerReader(readWhole(tbs, TAG.sequence, what), what);
  fields.optional(contextConstructed(0));
  const serial = fields.expect(TAG.integer, what).whole;
  fields.expect(TAG.sequence, what);
  return sequence(fields.expect(TAG.sequence, what).whole, serial);
}

/**
 * The signer's certificate, which must be in the file. The names are compared byte by byte: the identifier is not signed, and two
 * spellings of one name would be two files of one signature.
 *
 * @throws `signature` when it is not there, or more than one could be it
 */
// spec: CMS-10
export function signerCertificate({ certificates, signerId }: SignedData): Certificate {
  const [certificate, another] = certificates.filter((one) =>
    signerId.kind === "issuerAndSerial"
      ? equalBytes(issuerAndSerial(one), signerId.der)
      : one.subjectKeyId !== undefined && equalBytes(one.subjectKeyId, signerId.keyId)
  );
  if (certificate === undefined) throw badSignature("file does not hold its signer's certificate");
  if (another !== undefined) throw badSignature("file holds several certificates that could be its signer's");
  return certificate;
}

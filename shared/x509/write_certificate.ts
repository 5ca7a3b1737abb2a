/** Puts a certificate together and signs it (RFC 5280 section 4.1). What stands in it is decided in `issue.ts`. */
import type { Bytes } from "../bytes/bytes.ts";
import { ecdsaDerFromRaw } from "../crypto/ecdsa_der.ts";
import { algorithmOfKey, sign, type SignatureAlgorithm } from "../crypto/signature.ts";
import { contextConstructed, TAG } from "../der/read.ts";
import { element, octetBits, oid, sequence, time, TRUE, unsigned } from "../der/write.ts";
import { SIGNATURE_OID } from "./signature_scheme.ts";

/** What signs certificates: a key that may be anywhere, and the algorithm that goes with it. */
export interface CertificateSigner {
  readonly algorithm: SignatureAlgorithm;
  /** The signature over the bytes; `r || s` for ECDSA. */
  sign(tbs: Bytes): Promise<Bytes>;
}

/** What stands in a certificate of version 3. Names, key and extensions are DER; times are milliseconds since 1970. */
export interface CertificateFields {
  /** Big-endian magnitude. */
  readonly serial: Bytes;
  readonly issuer: Bytes;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Bytes;
  readonly spki: Bytes;
  readonly extensions: readonly Bytes[];
}

/** Signs with a private key that is held in WebCrypto. */
export function cryptoKeySigner(privateKey: CryptoKey): CertificateSigner {
  return { algorithm: algorithmOfKey(privateKey), sign: (tbs) => sign(privateKey, tbs) };
}

/** One Extension; `value` is the DER that its OCTET STRING wraps. */
export function extension(dotted: string, critical: boolean, value: Bytes): Bytes {
  const wrapped = element(TAG.octetString, value);
  return critical ? sequence(oid(dotted), TRUE, wrapped) : sequence(oid(dotted), wrapped);
}

/** The certificate in DER, signed. */
export async function writeCertificate(fields: CertificateFields, signer: CertificateSigner): Promise<Bytes> {
  const algorithm = ALGORITHMS[signer.algorithm];
  const tbs = sequence(
    VERSION_3,
    unsigned(fields.serial),
    algorithm,
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.spki,
    element(contextConstructed(3), sequence(...fields.extensions)),
  );
  const signature = await signer.sign(tbs);
  return sequence(tbs, algorithm, octetBits(signatureInDer(signature, signer.algorithm)));
}

const VERSION_3 = element(contextConstructed(0), unsigned(Uint8Array.of(2)));

const SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), element(TAG.null));

/** AlgorithmIdentifiers in DER. */
export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, Bytes>> = {
  Ed25519: sequence(oid(SIGNATURE_OID.ed25519)),
  ES256: sequence(oid(SIGNATURE_OID.ecdsaSha256)),
  ES384: sequence(oid(SIGNATURE_OID.ecdsaSha384)),
  ES512: sequence(oid(SIGNATURE_OID.ecdsaSha512)),
  // RFC 4055 section 3.1, everything written out: its defaults are SHA-1.
  PS256: sequence(
    oid(SIGNATURE_OID.rsaPss),
    sequence(
      element(contextConstructed(0), SHA256),
      element(contextConstructed(1), sequence(oid("1.2.840.113549.1.1.8"), SHA256)),
      element(contextConstructed(2), unsigned(Uint8Array.of(32))),
    ),
  ),
};

/** A signature as X.509 and CMS write it. @param signature `r || s` for ECDSA */
export function signatureInDer(signature: Bytes, algorithm: SignatureAlgorithm): Bytes {
  switch (algorithm) {
    case "ES256":
      return ecdsaDerFromRaw(signature, "P-256");
    case "ES384":
      return ecdsaDerFromRaw(signature, "P-384");
    case "ES512":
      return ecdsaDerFromRaw(signature, "P-521");
    case "Ed25519":
    case "PS256":
      return signature;
  }
}

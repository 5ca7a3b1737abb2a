/** Which algorithms sign files: digest and signature must fit each other (RFC 5652 section 10.1, RFC 5754, RFC 8419, RFC 4056). */
import type { Bytes } from "../bytes/bytes.ts";
import { type Hash, HASH_OID, hashOfOid } from "../crypto/digest.ts";
import type { SignatureAlgorithm } from "../crypto/signature.ts";
import type { AlgorithmIdentifier } from "../der/algorithm.ts";
import { TAG } from "../der/read.ts";
import { element, oid, sequence } from "../der/write.ts";
import { nullOrNone, SIGNATURE_OID, type SignatureScheme, signatureScheme } from "../x509/signature_scheme.ts";
import { ALGORITHMS } from "../x509/write_certificate.ts";
import { badSignature } from "./errors.ts";
import { CMS_OID } from "./oids.ts";

/** What a file is signed with: by the key's own algorithm, or with RSA in the old way, for tokens that know no other. */
export type CmsAlgorithm = SignatureAlgorithm | "RS256";

/** The hash of a digest's AlgorithmIdentifier. @throws `signature` for SHA-1, MD5 and all others */
// spec: CMS-07
export function digestHash({ oid, parameters }: AlgorithmIdentifier): Hash {
  const hash = hashOfOid(oid);
  if (hash === undefined || !nullOrNone(parameters)) {
    throw badSignature(`is over a digest by ${oid}; accepted are SHA-256, SHA-384 and SHA-512`);
  }
  return hash;
}

/**
 * How the signed attributes are signed.
 *
 * @throws `signature` for an algorithm that is not accepted, or that does not go with the digest; `malformed`
 */
// spec: CMS-07, CMS-08
export function signerScheme(algorithm: AlgorithmIdentifier, hash: Hash): SignatureScheme {
  if (algorithm.oid === CMS_OID.rsaEncryption && nullOrNone(algorithm.parameters)) return { kind: "rsa-pkcs1", hash };
  const scheme = signatureScheme(algorithm);
  if (scheme === undefined) throw badSignature(`is of the algorithm ${algorithm.oid}, or has parameters, not accepted`);
  // RFC 8419 section 3.1: with Ed25519, the attributes' digest is SHA-512.
  const expected = scheme.kind === "ed25519" ? "SHA-512" : scheme.hash;
  if (expected !== hash) throw badSignature(`has a digest by ${hash} where its algorithm takes ${expected}`);
  return scheme;
}

/** What an algorithm of ours writes. */
export interface CmsSuite {
  readonly hash: Hash;
  /** AlgorithmIdentifier of the signature, DER. */
  readonly signature: Bytes;
}

const SUITES: Readonly<Record<CmsAlgorithm, CmsSuite>> = {
  Ed25519: { hash: "SHA-512", signature: ALGORITHMS.Ed25519 },
  ES256: { hash: "SHA-256", signature: ALGORITHMS.ES256 },
  ES384: { hash: "SHA-384", signature: ALGORITHMS.ES384 },
  ES512: { hash: "SHA-512", signature: ALGORITHMS.ES512 },
  PS256: { hash: "SHA-256", signature: ALGORITHMS.PS256 },
  RS256: { hash: "SHA-256", signature: sequence(oid(SIGNATURE_OID.rsaSha256), element(TAG.null)) },
};

/** How an algorithm stands in a SignerInfo. */
export function suiteOf(algorithm: CmsAlgorithm): CmsSuite {
  return SUITES[algorithm];
}

/** AlgorithmIdentifier of a digest, DER, without parameters (RFC 5754 section 2). */
export function digestAlgorithm(hash: Hash): Bytes {
  return sequence(oid(HASH_OID[hash]));
}

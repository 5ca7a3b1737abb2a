/**
 * Which WebCrypto operation an AlgorithmIdentifier of a certificate's signature stands for (RFC 4055, RFC 5758, RFC 8410).
 *
 * Only what is safe today is known: SHA-1 and MD5 are not in the table, and so have no way in.
 */
import { type Hash, HASH_BYTES, hashOfOid } from "../crypto/digest.ts";
import type { AlgorithmIdentifier } from "../der/algorithm.ts";
import { LIMITS } from "../limits.ts";
import { contextConstructed, DerReader, type Element, readOid, readSmallInteger, readWhole, TAG } from "../der/read.ts";

/** How a certificate, a revocation list or a file was signed. */
export type SignatureScheme =
  | { readonly kind: "ed25519" }
  | { readonly kind: "ecdsa"; readonly hash: Hash }
  | { readonly kind: "rsa-pkcs1"; readonly hash: Hash }
  | { readonly kind: "rsa-pss"; readonly hash: Hash; readonly saltBytes: number };

/** Identifiers of the signature algorithms. */
export const SIGNATURE_OID = {
  ed25519: "1.3.101.112",
  ecdsaSha256: "1.2.840.10045.4.3.2",
  ecdsaSha384: "1.2.840.10045.4.3.3",
  ecdsaSha512: "1.2.840.10045.4.3.4",
  rsaSha256: "1.2.840.113549.1.1.11",
  rsaSha384: "1.2.840.113549.1.1.12",
  rsaSha512: "1.2.840.113549.1.1.13",
  rsaPss: "1.2.840.113549.1.1.10",
} as const;

const MGF1 = "1.2.840.113549.1.1.8";

/**
 * The scheme of an algorithm, undefined for one that Postern does not verify with.
 *
 * @throws `malformed` for parameters that are not DER.
 */
export function signatureScheme(algorithm: AlgorithmIdentifier): SignatureScheme | undefined {
  switch (algorithm.oid) {
    case SIGNATURE_OID.ed25519:
      return bare(algorithm, { kind: "ed25519" });
    case SIGNATURE_OID.ecdsaSha256:
      return bare(algorithm, { kind: "ecdsa", hash: "SHA-256" });
    case SIGNATURE_OID.ecdsaSha384:
      return bare(algorithm, { kind: "ecdsa", hash: "SHA-384" });
    case SIGNATURE_OID.ecdsaSha512:
      return bare(algorithm, { kind: "ecdsa", hash: "SHA-512" });
    case SIGNATURE_OID.rsaSha256:
      return nullOrNone(algorithm.parameters) ? { kind: "rsa-pkcs1", hash: "SHA-256" } : undefined;
    case SIGNATURE_OID.rsaSha384:
      return nullOrNone(algorithm.parameters) ? { kind: "rsa-pkcs1", hash: "SHA-384" } : undefined;
    case SIGNATURE_OID.rsaSha512:
      return nullOrNone(algorithm.parameters) ? { kind: "rsa-pkcs1", hash: "SHA-512" } : undefined;
    case SIGNATURE_OID.rsaPss:
      return pssScheme(algorithm.parameters);
    default:
      return undefined;
  }
}

function bare(algorithm: AlgorithmIdentifier, scheme: SignatureScheme): SignatureScheme | undefined {
  return algorithm.parameters === undefined ? scheme : undefined;
}

/** Parameters that say nothing: both forms are in use (RFC 5754 section 2). */
export function nullOrNone(parameters: Element | undefined): boolean {
  return parameters === undefined || (parameters.tag === TAG.null && parameters.content.length === 0);
}

/**
 * RSASSA-PSS with MGF1 by the same hash, a salt no shorter than the digest (OpenSSL 3.0 takes the longest that fits), and the
 * default trailer. All defaults of RFC 4055 mean SHA-1, so parameters that leave something out are not accepted.
 */
export function pssScheme(
  parameters: Element | undefined,
): Extract<SignatureScheme, { kind: "rsa-pss" }> | undefined {
  if (parameters === undefined) return undefined;
  const what = "RSASSA-PSS parameters";
  const reader = new DerReader(readWhole(parameters.whole, TAG.sequence, what), what);
  const hashField = reader.optional(contextConstructed(0));
  const maskField = reader.optional(contextConstructed(1));
  const saltField = reader.optional(contextConstructed(2));
  if (!reader.done || hashField === undefined || maskField === undefined || saltField === undefined) return undefined;
  const hash = readHash(hashField.content, what);
  const mask = new DerReader(readWhole(maskField.content, TAG.sequence, what), what);
  const maskOid = readOid(mask.expect(TAG.oid, what).content, what);
  const maskHash = mask.done ? undefined : readHash(mask.next().whole, what);
  mask.end();
  const saltBytes = readSmallInteger(readWhole(saltField.content, TAG.integer, what), what);
  if (hash === undefined || maskOid !== MGF1 || maskHash !== hash) return undefined;
  if (saltBytes < HASH_BYTES[hash] || saltBytes > LIMITS.maxSignatureBytes) return undefined;
  return { kind: "rsa-pss", hash, saltBytes };
}

function readHash(der: Element["whole"], what: string): Hash | undefined {
  const reader = new DerReader(readWhole(der, TAG.sequence, what), what);
  const hash = hashOfOid(readOid(reader.expect(TAG.oid, what).content, what));
  const parameters = reader.done ? undefined : reader.next();
  reader.end();
  return nullOrNone(parameters) ? hash : undefined;
}

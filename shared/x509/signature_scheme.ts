/**
 * Which WebCrypto operation an AlgorithmIdentifier of a certificate's signature stands for (RFC 4055, RFC 5758, RFC 8410).
 *
 * Only what is safe today is known: SHA-1 and MD5 are not in the table, and so have no way in.
 */
import type { AlgorithmIdentifier } from "../der/algorithm.ts";
import { contextConstructed, DerReader, type Element, readOid, readSmallInteger, readWhole, TAG } from "../der/read.ts";

/** A hash that certificates may be signed with, under WebCrypto's name. */
export type Hash = "SHA-256" | "SHA-384" | "SHA-512";

/** How a certificate was signed. */
export type SignatureScheme =
  | { readonly kind: "ed25519" }
  | { readonly kind: "ecdsa"; readonly hash: Hash }
  | { readonly kind: "rsa-pkcs1"; readonly hash: Hash }
  | { readonly kind: "rsa-pss"; readonly hash: Hash };

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

/** Bytes of a digest. */
export const HASH_BYTES: Readonly<Record<Hash, number>> = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

const HASH_OIDS: Readonly<Record<string, Hash>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

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

function nullOrNone(parameters: Element | undefined): boolean {
  return parameters === undefined || (parameters.tag === TAG.null && parameters.content.length === 0);
}

/**
 * The one set of RSASSA-PSS parameters in common use: MGF1 with the same hash, a salt as long as the digest, and the
 * default trailer. All defaults of RFC 4055 mean SHA-1, so parameters that leave something out are not accepted.
 */
export function pssScheme(parameters: Element | undefined): SignatureScheme | undefined {
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
  const salt = readSmallInteger(readWhole(saltField.content, TAG.integer, what), what);
  if (hash === undefined || maskOid !== MGF1 || maskHash !== hash || salt !== HASH_BYTES[hash]) return undefined;
  return { kind: "rsa-pss", hash };
}

function readHash(der: Element["whole"], what: string): Hash | undefined {
  const reader = new DerReader(readWhole(der, TAG.sequence, what), what);
  const hash = HASH_OIDS[readOid(reader.expect(TAG.oid, what).content, what)];
  const parameters = reader.done ? undefined : reader.next();
  reader.end();
  return nullOrNone(parameters) ? hash : undefined;
}

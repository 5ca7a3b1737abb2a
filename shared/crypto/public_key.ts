/** Public keys in certificates: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7, RFC 3279, RFC 5480, RFC 8410, RFC 4055). */
import type { Bytes } from "../bytes/bytes.ts";
import { coordinateBytes, type Curve } from "./ec_point.ts";
import { DerReader, malformed, readInteger, readOctetBits, readOid, readWhole, TAG } from "../der/read.ts";
import { type AlgorithmIdentifier, readAlgorithm } from "../der/algorithm.ts";

const CURVE_OIDS: Readonly<Record<string, Curve>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

/**
 * A public key. `other` is one that Postern can store and show but not use; `description` is for people.
 *
 * A point has the length of its curve's; whoever uses it checks that it lies on the curve (`crypto/ec_point.ts`).
 */
export type PublicKey =
  | { readonly kind: "ed25519"; readonly description: string; readonly raw: Bytes }
  | { readonly kind: "ec"; readonly description: string; readonly curve: Curve; readonly raw: Bytes }
  | {
    readonly kind: "rsa";
    readonly description: string;
    readonly bits: number;
    /** Big-endian, without leading zeros. */
    readonly modulus: Bytes;
    readonly exponent: Bytes;
    /** Parameters of an RSASSA-PSS key; undefined for a plain RSA key, which may sign in either way. */
    readonly pss: AlgorithmIdentifier | undefined;
  }
  | { readonly kind: "other"; readonly description: string };

const OTHER_KEYS: Readonly<Record<string, string>> = {
  "1.2.840.10040.4.1": "DSA",
  "1.2.840.10046.2.1": "DH",
  "1.3.101.110": "X25519",
  "1.3.101.111": "X448",
  "1.3.101.113": "Ed448",
  "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
  "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
  "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
};

/**
 * Reads a SubjectPublicKeyInfo from all of its DER.
 *
 * @throws `malformed`, also for a key of a known algorithm that does not have that algorithm's form.
 */
export function readPublicKey(spki: Bytes): PublicKey {
  const reader = new DerReader(readWhole(spki, TAG.sequence, WHAT), WHAT);
  const algorithm = readAlgorithm(reader.expect(TAG.sequence, WHAT), WHAT);
  const key = readOctetBits(reader.expect(TAG.bitString, WHAT).content, WHAT);
  reader.end();
  switch (algorithm.oid) {
    case "1.2.840.113549.1.1.1":
      if (algorithm.parameters?.tag !== TAG.null) throw malformed(WHAT, "is an RSA key whose parameters are not NULL");
      return readRsa(key, undefined);
    case "1.2.840.113549.1.1.10":
      return readRsa(key, algorithm);
    case "1.2.840.10045.2.1":
      return readEc(key, algorithm);
    case "1.3.101.112":
      if (algorithm.parameters !== undefined || key.length !== 32) throw malformed(WHAT, "is not an Ed25519 key");
      return { kind: "ed25519", description: "Ed25519", raw: key };
    default:
      return { kind: "other", description: OTHER_KEYS[algorithm.oid] ?? `unknown algorithm ${algorithm.oid}` };
  }
}

const WHAT = "subject public key";

function readRsa(key: Bytes, pss: AlgorithmIdentifier | undefined): PublicKey {
  const reader = new DerReader(readWhole(key, TAG.sequence, WHAT), WHAT);
  const modulus = readPositive(reader.expect(TAG.integer, WHAT).content);
  const exponent = readPositive(reader.expect(TAG.integer, WHAT).content);
  reader.end();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  return { kind: "rsa", description: `${pss === undefined ? "RSA" : "RSA-PSS"} ${bits}`, bits, modulus, exponent, pss };
}

function readPositive(content: Bytes): Bytes {
  const bytes = readInteger(content, WHAT);
  const first = bytes[0] ?? 0;
  if (first >= 0x80 || (first === 0 && bytes.length === 1)) throw malformed(WHAT, "is an RSA key of numbers below 1");
  return first === 0 ? bytes.subarray(1) : bytes;
}

function readEc(key: Bytes, { parameters }: AlgorithmIdentifier): PublicKey {
  if (parameters?.tag !== TAG.oid) return { kind: "other", description: "EC with explicit parameters" };
  const oid = readOid(parameters.content, WHAT);
  const curve = CURVE_OIDS[oid];
  if (curve === undefined) return { kind: "other", description: `EC on unknown curve ${oid}` };
  const size = coordinateBytes(curve);
  if ((key[0] === 2 || key[0] === 3) && key.length === 1 + size) {
    return { kind: "other", description: `EC ${curve} in compressed form` };
  }
  if (key[0] !== 4 || key.length !== 1 + 2 * size) throw malformed(WHAT, `is not a point of ${curve}`);
  return { kind: "ec", description: `EC ${curve}`, curve, raw: key };
}

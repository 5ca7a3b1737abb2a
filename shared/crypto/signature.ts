/**
 * Signatures. The algorithm follows from the key alone and is never negotiated, so nobody can choose a weaker one
 * (spec: KEY-01).
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { coordinateBytes, type Curve } from "./ec_point.ts";
import { orMalformed } from "./refusal.ts";
import { readUsableKey, rsaBitsInBounds } from "./spki.ts";

/** EdDSA of RFC 8032; ECDSA with the hash of the curve's size, and RSA-PSS with SHA-256, as in RFC 7518 section 3.1. */
export type SignatureAlgorithm = "Ed25519" | "ES256" | "ES384" | "ES512" | "PS256";

type KeyParameters = { name: "Ed25519" } | EcKeyImportParams | RsaHashedImportParams;
type SignatureParameters = { name: "Ed25519" } | EcdsaParams | RsaPssParams;

const ALGORITHMS: Readonly<Record<SignatureAlgorithm, { key: KeyParameters; signature: SignatureParameters }>> = {
  Ed25519: { key: { name: "Ed25519" }, signature: { name: "Ed25519" } },
  ES256: { key: { name: "ECDSA", namedCurve: "P-256" }, signature: { name: "ECDSA", hash: "SHA-256" } },
  ES384: { key: { name: "ECDSA", namedCurve: "P-384" }, signature: { name: "ECDSA", hash: "SHA-384" } },
  ES512: { key: { name: "ECDSA", namedCurve: "P-521" }, signature: { name: "ECDSA", hash: "SHA-512" } },
  PS256: { key: { name: "RSA-PSS", hash: "SHA-256" }, signature: { name: "RSA-PSS", saltLength: 32 } },
};

const BY_CURVE = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" } as const;

const ED25519_SIGNATURE_BYTES = 64;
/** Keys that Postern makes itself have 128 bits of security (NIST SP 800-57 part 1, table 2). */
const NEW_RSA_BITS = 3_072;
const RSA_EXPONENT = new Uint8Array([1, 0, 1]);

/**
 * The algorithm that belongs to a public key, given as DER SubjectPublicKeyInfo.
 *
 * @throws `malformed` for wrong DER or a point that is not on its curve; `unsupported` for any other kind or size of key.
 */
export function algorithmOfSpki(spki: Bytes): SignatureAlgorithm {
  const key = readUsableKey(spki);
  switch (key.kind) {
    case "ed25519":
      return "Ed25519";
    case "ec":
      return BY_CURVE[key.curve];
    case "rsa":
      return "PS256";
  }
}

/**
 * A key that verifies. Importing costs about as much as verifying with Ed25519: keep it where it is used again.
 *
 * @throws as {@link algorithmOfSpki}; `unsupported` too for a key that belongs to another algorithm than `algorithm`.
 */
export async function importVerifyKey(spki: Bytes, algorithm: SignatureAlgorithm): Promise<CryptoKey> {
  const found = algorithmOfSpki(spki);
  if (found !== algorithm) {
    throw new PosternError("unsupported", `expected a key for ${algorithm}, found one for ${found}`);
  }
  return await orMalformed(
    crypto.subtle.importKey("spki", spki, ALGORITHMS[algorithm].key, true, ["verify"]),
    `a public key for ${algorithm}`,
  );
}

/**
 * Whether this is the key's signature over the message. A signature of the wrong length is simply none.
 *
 * @throws `unsupported` for a key of another purpose, or one that this runtime imports but does not verify with (in Deno, RSA above
 * 4096 bits)
 */
export async function verifySignature(key: CryptoKey, signature: Bytes, message: Bytes): Promise<boolean> {
  const algorithm = algorithmOfKey(key);
  if (signature.length !== signatureBytes(key)) return false;
  try {
    return await crypto.subtle.verify(ALGORITHMS[algorithm].signature, key, signature, message);
  } catch (cause) {
    // Deno's error is of no kind.
    if (algorithm !== "PS256") throw cause;
    throw new PosternError("unsupported", "this runtime does not verify with an RSA key of this size", { cause });
  }
}

/** A new key pair. The public key can always be taken out, by {@link exportSpki}; the private one if `extractable`. */
export async function generateSigningKey(algorithm: SignatureAlgorithm, extractable: boolean): Promise<CryptoKeyPair> {
  const parameters = algorithm === "PS256"
    ? { ...ALGORITHMS.PS256.key, modulusLength: NEW_RSA_BITS, publicExponent: RSA_EXPONENT }
    : ALGORITHMS[algorithm].key;
  return await crypto.subtle.generateKey(parameters, extractable, ["sign", "verify"]) as CryptoKeyPair;
}

/**
 * A private key from DER PKCS#8 (RFC 5958).
 *
 * @throws `malformed` unless it is a private key for `algorithm`; `unsupported` for RSA outside of 2048 to 8192 bits.
 */
export async function importSigningKey(
  pkcs8: Bytes,
  algorithm: SignatureAlgorithm,
  extractable: boolean,
): Promise<CryptoKey> {
  const key = await orMalformed(
    crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHMS[algorithm].key, extractable, ["sign"]),
    `a private key for ${algorithm}`,
  );
  algorithmOfKey(key);
  return key;
}

/** The key's signature over the message: 64 bytes for Ed25519, `r || s` for ECDSA, as long as the modulus for RSA. */
export async function sign(key: CryptoKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHMS[algorithmOfKey(key)].signature, key, message));
}

/** The public key as DER SubjectPublicKeyInfo. */
export async function exportSpki(publicKey: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
}

/** The private key as DER PKCS#8. @throws a DOMException if the key was made not to be extractable. */
export async function exportPkcs8(privateKey: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

/** @throws `unsupported` for a key that did not come from this file. */
export function algorithmOfKey(key: CryptoKey): SignatureAlgorithm {
  const { name, namedCurve, modulusLength, hash } = key.algorithm as Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>;
  if (name === "Ed25519") return name;
  if (name === "ECDSA" && isCurve(namedCurve)) return BY_CURVE[namedCurve];
  if (name === "RSA-PSS" && hash?.name === "SHA-256" && rsaBitsInBounds(modulusLength ?? 0)) return "PS256";
  throw new PosternError(
    "unsupported",
    `expected a signature key, found ${name} of ${namedCurve ?? modulusLength ?? "?"}`,
  );
}

function signatureBytes(key: CryptoKey): number {
  const { namedCurve, modulusLength } = key.algorithm as Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>;
  if (isCurve(namedCurve)) return 2 * coordinateBytes(namedCurve);
  return modulusLength === undefined ? ED25519_SIGNATURE_BYTES : Math.ceil(modulusLength / 8);
}

function isCurve(name: string | undefined): name is Curve {
  return Object.hasOwn(BY_CURVE, name ?? "");
}

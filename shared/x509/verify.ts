/** Verifies the signatures of certificates, and of what is signed in the same ways. */
import type { Bytes } from "../bytes/bytes.ts";
import { verifyEd25519 } from "../crypto/ed25519.ts";
import { ecdsaRawFromDer } from "../crypto/ecdsa_der.ts";
import { requirePoint } from "../crypto/ec_point.ts";
import { rsaBitsInBounds } from "../crypto/spki.ts";
import { toBase64Url } from "../bytes/encoding.ts";
import type { AlgorithmIdentifier as X509Algorithm } from "../der/algorithm.ts";
import { isPosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate } from "./certificate.ts";
import type { PublicKey } from "../crypto/public_key.ts";
import { pssScheme, type SignatureScheme, signatureScheme } from "./signature_scheme.ts";

/**
 * What came of verifying. `unsupported`: an algorithm or key that Postern does not rely on, so nobody knows; `tampered`: the
 * signature is not this key's.
 */
export type SignatureOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: "tampered" | "unsupported"; readonly message: string };

/** What is signed, how, and the signature as X.509 and CMS write it. */
export interface Signed {
  readonly bytes: Bytes;
  readonly scheme: SignatureScheme;
  readonly signature: Bytes;
}

/** Verifies that `issuerKey` signed the certificate, in one of the ways of {@link verifySigned}. */
export async function verifyCertificate(certificate: Certificate, issuerKey: PublicKey): Promise<SignatureOutcome> {
  const { signatureAlgorithm, signature, tbs } = certificate;
  return await verifyIdentified({ bytes: tbs, algorithm: signatureAlgorithm, signature }, issuerKey, "certificate");
}

/** The same for anything with an AlgorithmIdentifier. @param what names it, for messages */
export async function verifyIdentified(
  { algorithm, bytes, signature }: { algorithm: X509Algorithm; bytes: Bytes; signature: Bytes },
  issuerKey: PublicKey,
  what: string,
): Promise<SignatureOutcome> {
  let scheme: SignatureScheme | undefined;
  try {
    scheme = signatureScheme(algorithm);
  } catch (error) {
    if (isPosternError(error, "malformed")) return tampered(error.message, what);
    throw error;
  }
  if (scheme === undefined) return unsupported(`the signature algorithm ${algorithm.oid} or its parameters`, what);
  return await verifySigned({ bytes, scheme, signature }, issuerKey, what);
}

/**
 * Verifies a signature.
 *
 * Accepted are Ed25519; ECDSA on P-256, P-384 and P-521 and RSA of 2048 to 8192 bits (PKCS#1 v1.5, or PSS with a salt no
 * shorter than the digest), each with SHA-256, SHA-384 or SHA-512. Which hash goes with which key is the signer's choice.
 */
export async function verifySigned(
  { bytes, scheme, signature }: Signed,
  key: PublicKey,
  what: string,
): Promise<SignatureOutcome> {
  try {
    const verified = await verifyBy(scheme, key, signature, bytes, what);
    if (typeof verified !== "boolean") return verified;
    return verified ? { ok: true } : tampered("it does not verify", what);
  } catch (error) {
    // Strangers' parameters, points and signatures that are not even well made; WebCrypto says so in its own way.
    if (isPosternError(error, "malformed")) return tampered(error.message, what);
    if (!(error instanceof DOMException)) throw error;
    return error.name === "NotSupportedError"
      ? unsupported("this runtime cannot verify it", what)
      : tampered(error.message, what);
  }
}

async function verifyBy(
  scheme: SignatureScheme,
  key: PublicKey,
  signature: Bytes,
  bytes: Bytes,
  what: string,
): Promise<boolean | SignatureOutcome> {
  switch (key.kind) {
    case "ed25519":
      if (scheme.kind !== "ed25519") return otherKey(key, what);
      return await verifyEd25519(key.raw, signature, bytes);
    case "ec": {
      if (scheme.kind !== "ecdsa") return otherKey(key, what);
      requirePoint(key.curve, key.raw);
      const algorithm = { name: "ECDSA", namedCurve: key.curve };
      const imported = await crypto.subtle.importKey("raw", key.raw, algorithm, false, ["verify"]);
      const raw = ecdsaRawFromDer(signature, key.curve);
      return await crypto.subtle.verify({ name: "ECDSA", hash: scheme.hash }, imported, raw, bytes);
    }
    case "rsa":
      if (scheme.kind !== "rsa-pkcs1" && scheme.kind !== "rsa-pss") return otherKey(key, what);
      return await verifyRsa(scheme, key, signature, bytes, what);
    case "other":
      return unsupported(`the issuer's key, ${key.description}`, what);
  }
}

async function verifyRsa(
  scheme: Extract<SignatureScheme, { kind: "rsa-pkcs1" | "rsa-pss" }>,
  key: Extract<PublicKey, { kind: "rsa" }>,
  signature: Bytes,
  bytes: Bytes,
  what: string,
): Promise<boolean | SignatureOutcome> {
  const { exponent, modulus, pss, description } = key;
  const odd = ((exponent[exponent.length - 1] ?? 0) & 1) === 1 && !(exponent.length === 1 && exponent[0] === 1);
  // An exponent of up to 32 bits: longer ones only make verifying slow.
  if (!rsaBitsInBounds(key.bits) || !odd || exponent.length > LIMITS.maxRsaExponentBytes) {
    return unsupported(`the issuer's key, ${description}`, what);
  }
  if (pss !== undefined && !allowsPss(scheme, pss)) return otherKey(key, what);
  const name = scheme.kind === "rsa-pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  // Not from the SPKI: WebCrypto imports no SPKI of an RSASSA-PSS key.
  const jwk = { kty: "RSA", n: toBase64Url(modulus), e: toBase64Url(exponent) };
  const parameters = scheme.kind === "rsa-pss" ? { name, saltLength: scheme.saltBytes } : name;
  try {
    const imported = await crypto.subtle.importKey("jwk", jwk, { name, hash: scheme.hash }, false, ["verify"]);
    return await crypto.subtle.verify(parameters, imported, signature, bytes);
  } catch (error) {
    // Deno throws an error of no kind for a modulus that it does not take: an even one, or one above 4096 bits.
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    return unsupported(`this runtime does not take the issuer's key, ${description}`, what);
  }
}

/** A key that is marked for RSASSA-PSS signs in no other way, and only as its parameters say if it has some. */
function allowsPss(scheme: SignatureScheme, pss: NonNullable<Extract<PublicKey, { kind: "rsa" }>["pss"]>): boolean {
  if (scheme.kind !== "rsa-pss") return false;
  if (pss.parameters === undefined) return true;
  // RFC 4055 section 1.2: in a key, the length of the salt is the shortest that is allowed.
  const allowed = pssScheme(pss.parameters);
  return allowed?.hash === scheme.hash && allowed.saltBytes <= scheme.saltBytes;
}

function otherKey({ description }: PublicKey, what: string): SignatureOutcome {
  return tampered(`it is of another algorithm than the issuer's key, ${description}`, what);
}

function tampered(found: string, what: string): SignatureOutcome {
  return { ok: false, code: "tampered", message: `The ${what}'s signature is not its issuer's: ${found}` };
}

function unsupported(found: string, what: string): SignatureOutcome {
  return { ok: false, code: "unsupported", message: `The ${what}'s signature cannot be relied on: ${found}` };
}

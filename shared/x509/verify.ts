/** Verifies the signatures of certificates with WebCrypto. */
import { ecdsaRawFromDer } from "../crypto/ecdsa_der.ts";
import { requirePoint } from "../crypto/ec_point.ts";
import { rsaBitsInBounds } from "../crypto/spki.ts";
import { toBase64Url } from "../bytes/encoding.ts";
import { isPosternError } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import type { PublicKey } from "../crypto/public_key.ts";
import { HASH_BYTES, pssScheme, type SignatureScheme, signatureScheme } from "./signature_scheme.ts";

/**
 * What came of verifying. `unsupported`: an algorithm or key that Postern does not rely on, so nobody knows; `tampered`: the
 * signature is not this key's.
 */
export type SignatureOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: "tampered" | "unsupported"; readonly message: string };

/**
 * Verifies that `issuerKey` signed the certificate.
 *
 * Accepted are Ed25519; ECDSA on P-256, P-384 and P-521 and RSA of 2048 to 8192 bits (PKCS#1 v1.5, or PSS with a salt as
 * long as the digest), each with SHA-256, SHA-384 or SHA-512. Which hash goes with which key is the signer's choice.
 */
export async function verifyCertificate(certificate: Certificate, issuerKey: PublicKey): Promise<SignatureOutcome> {
  const { signatureAlgorithm, signature, tbs } = certificate;
  try {
    const scheme = signatureScheme(signatureAlgorithm);
    if (scheme === undefined) return unsupported(`the signature algorithm ${signatureAlgorithm.oid} or its parameters`);
    const operation = await importFor(scheme, issuerKey);
    if ("ok" in operation) return operation;
    const { key, parameters } = operation;
    const raw = issuerKey.kind === "ec" ? ecdsaRawFromDer(signature, issuerKey.curve) : signature;
    return await crypto.subtle.verify(parameters, key, raw, tbs) ? { ok: true } : tampered("it does not verify");
  } catch (error) {
    // Strangers' parameters, points and signatures that are not even well made; WebCrypto says so in its own way.
    if (isPosternError(error, "malformed")) return tampered(error.message);
    if (!(error instanceof DOMException)) throw error;
    return error.name === "NotSupportedError" ? unsupported("this runtime cannot verify it") : tampered(error.message);
  }
}

interface Operation {
  readonly key: CryptoKey;
  readonly parameters: AlgorithmIdentifier | EcdsaParams | RsaPssParams;
}

async function importFor(scheme: SignatureScheme, issuerKey: PublicKey): Promise<Operation | SignatureOutcome> {
  switch (issuerKey.kind) {
    case "ed25519": {
      if (scheme.kind !== "ed25519") return otherKey(issuerKey);
      const key = await crypto.subtle.importKey("raw", issuerKey.raw, "Ed25519", false, ["verify"]);
      return { key, parameters: "Ed25519" };
    }
    case "ec": {
      if (scheme.kind !== "ecdsa") return otherKey(issuerKey);
      requirePoint(issuerKey.curve, issuerKey.raw);
      const algorithm = { name: "ECDSA", namedCurve: issuerKey.curve };
      const key = await crypto.subtle.importKey("raw", issuerKey.raw, algorithm, false, ["verify"]);
      return { key, parameters: { name: "ECDSA", hash: scheme.hash } };
    }
    case "rsa":
      if (scheme.kind !== "rsa-pkcs1" && scheme.kind !== "rsa-pss") return otherKey(issuerKey);
      return await importRsa(scheme, issuerKey);
    case "other":
      return unsupported(`the issuer's key, ${issuerKey.description}`);
  }
}

async function importRsa(
  scheme: Extract<SignatureScheme, { kind: "rsa-pkcs1" | "rsa-pss" }>,
  issuerKey: Extract<PublicKey, { kind: "rsa" }>,
): Promise<Operation | SignatureOutcome> {
  const { exponent, modulus, pss, description } = issuerKey;
  const odd = ((exponent[exponent.length - 1] ?? 0) & 1) === 1 && !(exponent.length === 1 && exponent[0] === 1);
  // An exponent of up to 32 bits: longer ones only make verifying slow.
  if (!rsaBitsInBounds(issuerKey.bits) || !odd || exponent.length > 4) {
    return unsupported(`the issuer's key, ${description}`);
  }
  if (pss !== undefined && !allowsPss(scheme, pss)) return otherKey(issuerKey);
  const name = scheme.kind === "rsa-pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  // Not from the SPKI: WebCrypto imports no SPKI of an RSASSA-PSS key.
  const jwk = { kty: "RSA", n: toBase64Url(modulus), e: toBase64Url(exponent) };
  const key = await crypto.subtle.importKey("jwk", jwk, { name, hash: scheme.hash }, false, ["verify"]);
  return { key, parameters: { name, saltLength: HASH_BYTES[scheme.hash] } };
}

/** A key that is marked for RSASSA-PSS signs in no other way, and only as its parameters say if it has some. */
function allowsPss(scheme: SignatureScheme, pss: NonNullable<Extract<PublicKey, { kind: "rsa" }>["pss"]>): boolean {
  if (scheme.kind !== "rsa-pss") return false;
  if (pss.parameters === undefined) return true;
  const allowed = pssScheme(pss.parameters);
  return allowed?.kind === "rsa-pss" && allowed.hash === scheme.hash;
}

function otherKey({ description }: PublicKey): SignatureOutcome {
  return tampered(`it is of another algorithm than the issuer's key, ${description}`);
}

function tampered(found: string): SignatureOutcome {
  return { ok: false, code: "tampered", message: `The certificate's signature is not its issuer's: ${found}` };
}

function unsupported(found: string): SignatureOutcome {
  return { ok: false, code: "unsupported", message: `The certificate's signature cannot be relied on: ${found}` };
}

/**
 * ECDH on the NIST curves (NIST SP 800-56A section 5.7.1.2) over WebCrypto, as far as certificates brought along need it.
 * Public keys are raw uncompressed points, checked before the private key touches them.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { coordinateBytes, type Curve, requirePoint } from "./ec_point.ts";
import { orMalformed } from "./refusal.ts";

/** A private key that cannot be taken out, with its public key in both forms. */
export interface EcdhKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly point: Bytes;
}

/**
 * A public key from its point.
 *
 * @throws `malformed` unless it is a point of the curve.
 */
export async function importEcdhPoint(curve: Curve, point: Bytes): Promise<CryptoKey> {
  requirePoint(curve, point);
  return await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: curve }, true, []);
}

/**
 * A key pair from its private key in DER PKCS#8 (RFC 5958 with RFC 5915).
 *
 * @throws `malformed` unless it is a private key on this curve.
 */
export async function importEcdhPkcs8(curve: Curve, pkcs8: Bytes): Promise<EcdhKeyPair> {
  return await orMalformed(importBoth(curve, pkcs8), `a private key on ${curve}`);
}

async function importBoth(curve: Curve, pkcs8: Bytes): Promise<EcdhKeyPair> {
  const algorithm = { name: "ECDH", namedCurve: curve };
  // Taken out once, within this function, because WebCrypto gives the public key in no other way.
  const exportable = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["deriveBits"]);
  const { kty = "EC", x = "", y = "" } = await crypto.subtle.exportKey("jwk", exportable);
  const publicKey = await crypto.subtle.importKey("jwk", { kty, crv: curve, x, y }, algorithm, true, []);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  requirePoint(curve, point);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["deriveBits"]);
  return { privateKey, publicKey, point };
}

/**
 * The x-coordinate of the shared point, as long as a coordinate of the curve. Not a key yet.
 *
 * @throws `malformed` unless `point` is on the curve.
 */
export async function deriveEcdh(curve: Curve, privateKey: CryptoKey, point: Bytes): Promise<Bytes> {
  const publicKey = await importEcdhPoint(curve, point);
  const bits = 8 * coordinateBytes(curve);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: publicKey }, privateKey, bits));
}

/** What Postern makes of a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7): which keys it uses, and for what. */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type PublicKey, readPublicKey } from "./public_key.ts";
import { type Curve, requirePoint } from "./ec_point.ts";

/** A public key in use: its kind, and for a curve the point. */
export type UsableKey =
  | { readonly kind: "ed25519" }
  | { readonly kind: "ec"; readonly curve: Curve; readonly point: Bytes }
  | { readonly kind: "rsa" };

/**
 * Reads a public key and passes it if Postern uses keys like it.
 *
 * @throws `malformed` for wrong DER or a point that is not on its curve; `unsupported` for another algorithm or curve, an RSA
 * modulus that is even or outside of 2048 to 8192 bits, or an RSA key bound to a padding (RSASSA-PSS), which WebCrypto does not import.
 */
// spec: KEY-02
export function readUsableKey(spki: Bytes): UsableKey {
  const key = readPublicKey(spki);
  switch (key.kind) {
    case "ed25519":
      return { kind: "ed25519" };
    case "ec":
      requirePoint(key.curve, key.raw);
      return { kind: "ec", curve: key.curve, point: key.raw };
    case "rsa":
      requireRsa(key);
      return { kind: "rsa" };
    case "other":
      throw unsupported(key.description);
  }
}

function requireRsa(key: Extract<PublicKey, { kind: "rsa" }>): void {
  if (key.pss !== undefined || !rsaBitsInBounds(key.bits)) throw unsupported(key.description);
  const [last] = key.exponent.subarray(-1);
  const exponentIsOne = key.exponent.length === 1 && last === 1;
  // No product of two primes, and Deno fails with an error of no kind where it is to be used.
  if (((key.modulus.at(-1) ?? 0) & 1) === 0) throw unsupported(`${key.description} with an even modulus`);
  if (key.exponent.length > LIMITS.maxRsaExponentBytes || exponentIsOne || ((last ?? 0) & 1) === 0) {
    throw unsupported(`${key.description} with an unusual public exponent`);
  }
}

/** True for the size in bits of an RSA modulus that Postern uses. */
export function rsaBitsInBounds(bits: number): boolean {
  return bits >= LIMITS.minRsaBits && bits <= LIMITS.maxRsaBits;
}

function unsupported(found: string): PosternError {
  return new PosternError(
    "unsupported",
    `expected a key of type Ed25519, P-256, P-384, P-521 or RSA with ${LIMITS.minRsaBits} to ${LIMITS.maxRsaBits} bits, found ${found}`,
  );
}

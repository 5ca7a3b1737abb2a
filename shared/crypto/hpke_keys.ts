/**
 * Keys for {@link file://./hpke.ts}: which suites there are, and their public and private keys in and out of bytes.
 *
 * Public keys are raw (X-Wing 1216 bytes, X25519 32 bytes, EC an uncompressed point) or, for RSA, a DER SubjectPublicKeyInfo.
 * Secrets, as they are generated and kept, are the 32-byte seed of X-Wing and DER PKCS#8 of all others.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { type Curve, requirePoint } from "./ec_point.ts";
import { importEcdhPkcs8 } from "./ecdh.ts";
import { webCryptoRandom } from "./random.ts";
import { importOaepPkcs8, importOaepSpki } from "./rsa_oaep.ts";
import { readUsableKey } from "./spki.ts";
import { importX25519Pkcs8, X25519_BYTES, x25519Pkcs8 } from "./x25519.ts";
import {
  importXWingSeed,
  XWING_CIPHERTEXT_BYTES,
  XWING_PUBLIC_KEY_BYTES,
  XWING_SEED_BYTES,
  type XWingKey,
} from "./xwing.ts";

/** Every suite (shared/spec/wrapping.md), with the bytes of an encapsulation and whether a quantum computer breaks it. */
export const HPKE_SUITES = {
  xwing: { encapsulatedBytes: XWING_CIPHERTEXT_BYTES, quantumSafe: true },
  x25519: { encapsulatedBytes: 32, quantumSafe: false },
  p256: { encapsulatedBytes: 65, quantumSafe: false },
  p384: { encapsulatedBytes: 97, quantumSafe: false },
  p521: { encapsulatedBytes: 133, quantumSafe: false },
  "rsa-oaep-256": { encapsulatedBytes: 0, quantumSafe: false },
} as const;

export type HpkeSuite = keyof typeof HPKE_SUITES;

/** The suites whose KEM is one of RFC 9180. */
export type DhkemSuite = Exclude<HpkeSuite, "xwing" | "rsa-oaep-256">;

/** The suites on a NIST curve. */
export const SUITE_CURVES = { p256: "P-256", p384: "P-384", p521: "P-521" } as const satisfies Partial<
  Record<HpkeSuite, Curve>
>;

const CURVE_SUITES = { "P-256": "p256", "P-384": "p384", "P-521": "p521" } as const;

/** For RSA keys that Postern makes itself: 128 bits of security. */
const NEW_RSA_BITS = 3_072;

/** A private key ready to open with. It cannot be taken out again, but for X-Wing in a runtime without ML-KEM. */
export type HpkePrivateKey =
  | { readonly suite: "xwing"; readonly publicKey: Bytes; readonly key: XWingKey }
  | { readonly suite: DhkemSuite; readonly publicKey: Bytes; readonly key: CryptoKey }
  | { readonly suite: "rsa-oaep-256"; readonly publicKey: Bytes; readonly key: CryptoKey };

/** True for the name of a suite. */
export function isHpkeSuite(name: string): name is HpkeSuite {
  return Object.hasOwn(HPKE_SUITES, name);
}

/**
 * The suite and public key for a certificate's own key, given as DER SubjectPublicKeyInfo.
 *
 * @throws `malformed`; `unsupported` for a key that can only sign (Ed25519) or that Postern does not use.
 */
export function hpkePublicKeyOfSpki(spki: Bytes): { suite: HpkeSuite; publicKey: Bytes } {
  const key = readUsableKey(spki);
  switch (key.kind) {
    case "ec":
      return { suite: CURVE_SUITES[key.curve], publicKey: key.point.slice() };
    case "rsa":
      return { suite: "rsa-oaep-256", publicKey: spki };
    case "ed25519":
      throw new PosternError("unsupported", "an Ed25519 key can only sign; register an X-Wing key beside it");
  }
}

/**
 * Passes a public key that fits its suite. (Whether ML-KEM's numbers are in range shows when something is sealed to it.)
 *
 * @throws `malformed`; `unsupported` for a key of another kind or size.
 */
export async function requireHpkePublicKey(suite: HpkeSuite, publicKey: Bytes): Promise<void> {
  switch (suite) {
    case "xwing":
      return requireLength(suite, publicKey, XWING_PUBLIC_KEY_BYTES);
    case "x25519":
      return requireLength(suite, publicKey, X25519_BYTES);
    case "p256":
    case "p384":
    case "p521":
      return requirePoint(SUITE_CURVES[suite], publicKey);
    case "rsa-oaep-256":
      await importOaepSpki(publicKey);
  }
}

function requireLength(suite: HpkeSuite, publicKey: Bytes, length: number): void {
  if (publicKey.length === length) return;
  throw new PosternError(
    "malformed",
    `expected a public key of ${length} bytes for ${suite}, found ${publicKey.length}`,
  );
}

/** A new secret. It is for keeping, encrypted; {@link importHpkeKey} makes a key of it. */
export async function generateHpkeSecret(suite: HpkeSuite): Promise<Bytes> {
  switch (suite) {
    case "xwing":
      return webCryptoRandom(XWING_SEED_BYTES);
    case "x25519":
      return x25519Pkcs8(webCryptoRandom(X25519_BYTES));
    case "p256":
    case "p384":
    case "p521":
      return await generatePkcs8({ name: "ECDH", namedCurve: SUITE_CURVES[suite] }, "deriveBits");
    case "rsa-oaep-256": {
      const publicExponent = new Uint8Array([1, 0, 1]);
      return await generatePkcs8(
        { name: "RSA-OAEP", hash: "SHA-256", modulusLength: NEW_RSA_BITS, publicExponent },
        "decrypt",
      );
    }
  }
}

async function generatePkcs8(algorithm: EcKeyGenParams | RsaHashedKeyGenParams, usage: KeyUsage): Promise<Bytes> {
  // The public half, which then has no usage, is not needed.
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, [usage]) as CryptoKeyPair;
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

/**
 * The private key of a secret: X-Wing's seed, or DER PKCS#8.
 *
 * @throws `malformed` or `unsupported` unless it is a secret of this suite.
 */
export async function importHpkeKey(suite: HpkeSuite, secret: Bytes): Promise<HpkePrivateKey> {
  switch (suite) {
    case "xwing": {
      const key = await importXWingSeed(secret);
      return { suite, key, publicKey: key.publicKey };
    }
    case "x25519": {
      const { privateKey, publicKey } = await importX25519Pkcs8(secret);
      return { suite, key: privateKey, publicKey };
    }
    case "p256":
    case "p384":
    case "p521": {
      const { privateKey, point } = await importEcdhPkcs8(SUITE_CURVES[suite], secret);
      return { suite, key: privateKey, publicKey: point };
    }
    case "rsa-oaep-256": {
      const { privateKey, spki } = await importOaepPkcs8(secret);
      return { suite, key: privateKey, publicKey: spki };
    }
  }
}

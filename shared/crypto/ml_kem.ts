/**
 * ML-KEM-768 (FIPS 203) of WebCrypto ("Modern Algorithms in the Web Cryptography API"), which Deno and current browsers have and
 * Node 20 and workerd lack. Described by hand, because TypeScript's own description of WebCrypto does not know it yet.
 */
import type { Bytes } from "../bytes/bytes.ts";

const NAME = "ML-KEM-768";

export const ML_KEM_PUBLIC_KEY_BYTES = 1_184;
/** The seed of the matrix, behind the coefficients in a public key. */
const MATRIX_SEED_BYTES = 32;
const PRIME = 3_329;
export const ML_KEM_CIPHERTEXT_BYTES = 1_088;
/** `d || z` of FIPS 203 section 7.1. */
export const ML_KEM_SEED_BYTES = 64;

/** As much of SubtleCrypto as ML-KEM adds. */
interface KemSubtle {
  importKey(
    format: "raw-seed" | "raw-public",
    bytes: Bytes,
    algorithm: string,
    extractable: boolean,
    usages: readonly ("encapsulateBits" | "decapsulateBits")[],
  ): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: string,
    publicKey: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: string, privateKey: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}

function kemSubtle(): KemSubtle {
  return crypto.subtle as unknown as KemSubtle;
}

/** Whether this runtime has ML-KEM-768. It makes a key to find out, so ask once. */
export async function hasNativeMlKem(): Promise<boolean> {
  if (typeof kemSubtle().decapsulateBits !== "function") return false;
  try {
    await importMlKemSeed(new Uint8Array(ML_KEM_SEED_BYTES));
    return true;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "NotSupportedError") return false;
    throw cause;
  }
}

/** The check that FIPS 203 section 7.2 asks for before anything is encapsulated: length, and coefficients below the prime. */
export function isMlKemPublicKey(publicKey: Bytes): boolean {
  if (publicKey.length !== ML_KEM_PUBLIC_KEY_BYTES) return false;
  const end = ML_KEM_PUBLIC_KEY_BYTES - MATRIX_SEED_BYTES;
  // Two coefficients of twelve bits in three bytes, the lowest first.
  for (let at = 0; at < end; at += 3) {
    const [low = 0, middle = 0, high = 0] = publicKey.subarray(at, at + 3);
    if ((low | (middle & 0x0f) << 8) >= PRIME || (middle >> 4 | high << 4) >= PRIME) return false;
  }
  return true;
}

/** A private key that cannot be taken out, from its 64-byte seed. */
export async function importMlKemSeed(seed: Bytes): Promise<CryptoKey> {
  return await kemSubtle().importKey("raw-seed", seed, NAME, false, ["decapsulateBits"]);
}

/** A new shared secret for the holder of a public key, and its encapsulation. @throws a DOMException for a bad key. */
export async function mlKemEncapsulate(publicKey: Bytes): Promise<{ shared: Bytes; ciphertext: Bytes }> {
  const key = await kemSubtle().importKey("raw-public", publicKey, NAME, true, ["encapsulateBits"]);
  const { sharedKey, ciphertext } = await kemSubtle().encapsulateBits(NAME, key);
  return { shared: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
}

/** The shared secret of an encapsulation. A changed one gives another secret, not an error (FIPS 203 section 6.3). */
export async function mlKemDecapsulate(privateKey: CryptoKey, ciphertext: Bytes): Promise<Bytes> {
  return new Uint8Array(await kemSubtle().decapsulateBits(NAME, privateKey, ciphertext));
}

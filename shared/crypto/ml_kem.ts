/**
 * ML-KEM-768 (FIPS 203) of WebCrypto ("Modern Algorithms in the Web Cryptography API"), which Deno and current browsers have and
 * Node 20 and workerd lack. Described by hand, because TypeScript's own description of WebCrypto does not know it yet.
 */
import type { Bytes } from "../bytes/bytes.ts";

const NAME = "ML-KEM-768";

export const ML_KEM_PUBLIC_KEY_BYTES = 1_184;
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

let found: Promise<boolean> | undefined;

/** Whether this runtime has ML-KEM-768; tried once. */
export function hasNativeMlKem(): Promise<boolean> {
  return found ??= tryNative();
}

async function tryNative(): Promise<boolean> {
  if (typeof kemSubtle().decapsulateBits !== "function") return false;
  try {
    await importMlKemSeed(new Uint8Array(ML_KEM_SEED_BYTES));
    return true;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "NotSupportedError") return false;
    throw cause;
  }
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

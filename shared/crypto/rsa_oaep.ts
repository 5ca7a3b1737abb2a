/**
 * RSAES-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017 section 7.1) over WebCrypto: for wrapping a key to an RSA certificate brought
 * along, and nothing longer.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { orFailed, orMalformed } from "./refusal.ts";
import { readUsableKey, rsaBitsInBounds } from "./spki.ts";

const ALGORITHM = { name: "RSA-OAEP", hash: "SHA-256" };

/** The padding's own bytes: two hashes and two (RFC 8017 section 7.1.1). */
const OVERHEAD_BYTES = 66;

/**
 * A public key from DER SubjectPublicKeyInfo.
 *
 * @throws `malformed`; `unsupported` unless it is an RSA key of 2048 to 8192 bits.
 */
export async function importOaepSpki(spki: Bytes): Promise<CryptoKey> {
  if (readUsableKey(spki).kind !== "rsa") {
    throw new PosternError("unsupported", "expected an RSA public key, found one of another kind");
  }
  return await orMalformed(
    crypto.subtle.importKey("spki", spki, ALGORITHM, true, ["encrypt"]),
    "an RSA public key",
  );
}

/**
 * A private key that cannot be taken out, from DER PKCS#8, with its public key.
 *
 * @throws `malformed`; `unsupported` for a modulus outside of 2048 to 8192 bits.
 */
export async function importOaepPkcs8(pkcs8: Bytes): Promise<{ privateKey: CryptoKey; spki: Bytes }> {
  return await orMalformed(importBoth(pkcs8), "an RSA private key");
}

async function importBoth(pkcs8: Bytes): Promise<{ privateKey: CryptoKey; spki: Bytes }> {
  const exportable = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["decrypt"]);
  const { modulusLength } = exportable.algorithm as RsaHashedKeyAlgorithm;
  if (!rsaBitsInBounds(modulusLength)) {
    throw new PosternError("unsupported", `RSA of ${modulusLength} bits is not used`);
  }
  const { kty = "RSA", n = "", e = "" } = await crypto.subtle.exportKey("jwk", exportable);
  const publicKey = await crypto.subtle.importKey("jwk", { kty, n, e }, ALGORITHM, true, ["encrypt"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return { privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["decrypt"]), spki };
}

/**
 * @throws `too_large` for a plaintext longer than the modulus less 66 bytes: 190 for 2048 bits; `unsupported` for a key that this
 * runtime imports but does not encrypt to (in Deno, above 4096 bits)
 */
export async function encryptOaep(publicKey: CryptoKey, label: Bytes, plaintext: Bytes): Promise<Bytes> {
  const room = modulusBytes(publicKey) - OVERHEAD_BYTES;
  if (plaintext.length > room) {
    throw new PosternError("too_large", `RSA-OAEP takes at most ${room} bytes with this key, not ${plaintext.length}`);
  }
  return new Uint8Array(
    await orFailed(
      crypto.subtle.encrypt({ name: ALGORITHM.name, label }, publicKey, plaintext),
      "unsupported",
      "this runtime does not encrypt to an RSA key of this size",
    ),
  );
}

/** @throws `tampered` for everything that {@link encryptOaep} did not make with this key and label. */
export async function decryptOaep(privateKey: CryptoKey, label: Bytes, ciphertext: Bytes): Promise<Bytes> {
  const failed = `${ciphertext.length} bytes do not open with this RSA key and label`;
  // Some runtimes pad a shorter number on the left by themselves; then one message had many ciphertexts.
  if (ciphertext.length !== modulusBytes(privateKey)) throw new PosternError("tampered", failed);
  return new Uint8Array(
    await orFailed(crypto.subtle.decrypt({ name: ALGORITHM.name, label }, privateKey, ciphertext), "tampered", failed),
  );
}

function modulusBytes(key: CryptoKey): number {
  return Math.ceil((key.algorithm as RsaHashedKeyAlgorithm).modulusLength / 8);
}

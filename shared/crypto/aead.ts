/**
 * AES-256-GCM (NIST SP 800-38D) over WebCrypto. One size of everything: keys of 256 bits, nonces of 96, tags of 128.
 *
 * Message limit: with random nonces one key seals at most 2^32 plaintexts (SP 800-38D section 8.3); a nonce used twice under
 * one key gives both plaintexts away and lets anyone forge. Whoever owns a key counts, and changes it in time.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { orFailed } from "./refusal.ts";

export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
/** What sealing adds to the plaintext's length. */
export const AEAD_TAG_BYTES = 16;

const TAG_BITS = 8 * AEAD_TAG_BYTES;

/**
 * A key that seals and opens and cannot be taken out again. Importing costs as much as opening a row: keep it.
 *
 * @throws `unsupported` unless `raw` has 32 bytes.
 */
export async function importAeadKey(raw: Bytes): Promise<CryptoKey> {
  if (raw.length !== AEAD_KEY_BYTES) {
    throw new PosternError(
      "unsupported",
      `expected an AES-256-GCM key of ${AEAD_KEY_BYTES} bytes, found ${raw.length}`,
    );
  }
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/**
 * Ciphertext and tag, together 16 bytes longer than the plaintext. What is handed in may be overwritten as soon as this returns its
 * promise: WebCrypto copies it before it returns its own.
 *
 * @param nonce 12 bytes, never twice with this key.
 * @param associatedData authenticated, but not part of the result.
 * @throws `unsupported` for a key or nonce of another size.
 */
export async function sealAead(key: CryptoKey, nonce: Bytes, plaintext: Bytes, associatedData: Bytes): Promise<Bytes> {
  const parameters = gcm(key, nonce, associatedData);
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, plaintext));
}

/**
 * The plaintext of what {@link sealAead} made.
 *
 * @throws `tampered` if key, nonce, ciphertext or associated data is not the one that was sealed; `unsupported` for a key or
 * nonce of another size.
 */
export async function openAead(key: CryptoKey, nonce: Bytes, ciphertext: Bytes, associatedData: Bytes): Promise<Bytes> {
  const parameters = gcm(key, nonce, associatedData);
  return new Uint8Array(
    await orFailed(
      crypto.subtle.decrypt(parameters, key, ciphertext),
      "tampered",
      `${ciphertext.length} bytes of ciphertext do not belong to this key and context`,
    ),
  );
}

function gcm(key: CryptoKey, nonce: Bytes, additionalData: Bytes): AesGcmParams {
  const { name, length } = key.algorithm as AesKeyAlgorithm;
  if (name !== "AES-GCM" || length !== 8 * AEAD_KEY_BYTES) {
    throw new PosternError("unsupported", `expected an AES-256-GCM key, found ${name} of ${length} bits`);
  }
  if (nonce.length !== AEAD_NONCE_BYTES) {
    throw new PosternError("unsupported", `expected a nonce of ${AEAD_NONCE_BYTES} bytes, found ${nonce.length}`);
  }
  return { name, iv: nonce, additionalData, tagLength: TAG_BITS };
}

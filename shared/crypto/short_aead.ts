/**
 * AES-256-GCM (NIST SP 800-38D) under a key that comes once and is gone, as wrapped keys are sealed: the runtime's own, synchronous,
 * where there is one. Measured in Deno 2.9, microseconds of processor time for 32 bytes with the import of the key: 15, by WebCrypto 24
 * and two turns of the event loop. From a few KiB on WebCrypto is the faster one.
 */
import { type Bytes, concat } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, importAeadKey, openAead, sealAead } from "./aead.ts";
import { nativeCrypto } from "./native.ts";
import type { Eventually } from "./eventually.ts";

/** What is longer than this goes to WebCrypto. */
export const SHORT_BYTES = 1_024;

const CIPHER = "aes-256-gcm";
const TAG = { authTagLength: AEAD_TAG_BYTES };

type Native = Required<Pick<NonNullable<typeof nativeCrypto>, "createCipheriv" | "createDecipheriv">>;

/** Tried once: a runtime may have the functions and refuse the cipher. */
const native = tryNative();

function tryNative(): Native | null {
  const { createCipheriv, createDecipheriv } = nativeCrypto ?? {};
  if (createCipheriv === undefined || createDecipheriv === undefined) return null;
  try {
    createCipheriv(CIPHER, new Uint8Array(AEAD_KEY_BYTES), new Uint8Array(AEAD_NONCE_BYTES), TAG).final();
    return { createCipheriv, createDecipheriv };
  } catch {
    return null;
  }
}

/** For that many bytes of plaintext; null where WebCrypto is the way. */
function nativeFor(length: number): Native | null {
  return length >= 0 && length <= SHORT_BYTES ? native : null;
}

/** As {@link sealAead}, by a raw key of 32 bytes that seals nothing else. @throws `unsupported` for another size of key or nonce */
export function sealOnce(key: Bytes, nonce: Bytes, plaintext: Bytes, associatedData: Bytes): Eventually<Bytes> {
  const short = nativeFor(plaintext.length);
  if (short === null) return importAeadKey(key).then((one) => sealAead(one, nonce, plaintext, associatedData));
  requireSizes(key, nonce);
  const cipher = short.createCipheriv(CIPHER, key, nonce, TAG);
  cipher.setAAD(associatedData);
  // Counter mode holds nothing back, so the end adds nothing.
  const sealed = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

/** As {@link openAead}, by a raw key. @throws `tampered`; `unsupported` for another size of key or nonce */
export function openOnce(key: Bytes, nonce: Bytes, ciphertext: Bytes, associatedData: Bytes): Eventually<Bytes> {
  const end = ciphertext.length - AEAD_TAG_BYTES;
  const short = nativeFor(end);
  if (short === null) return importAeadKey(key).then((one) => openAead(one, nonce, ciphertext, associatedData));
  requireSizes(key, nonce);
  const decipher = short.createDecipheriv(CIPHER, key, nonce, TAG);
  decipher.setAAD(associatedData);
  decipher.setAuthTag(ciphertext.subarray(end));
  const plaintext = decipher.update(ciphertext.subarray(0, end));
  try {
    // Only here the tag is compared: what was decrypted before leaves this function no other way.
    return concat(plaintext, decipher.final());
  } catch (cause) {
    plaintext.fill(0);
    const what = `${ciphertext.length} bytes of ciphertext do not belong to this key and context`;
    throw new PosternError("tampered", what, { cause });
  }
}

function requireSizes(key: Bytes, nonce: Bytes): void {
  if (key.length !== AEAD_KEY_BYTES || nonce.length !== AEAD_NONCE_BYTES) {
    const found = `a key of ${key.length} bytes and a nonce of ${nonce.length}`;
    throw new PosternError("unsupported", `AES-256-GCM takes a key of 32 bytes and a nonce of 12, not ${found}`);
  }
}

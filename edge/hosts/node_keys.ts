/** Keys of `node:crypto`, which Deno has too: synchronous, and so cheaper than WebCrypto's for what a login consists of. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { fromBase64Url, fromHex } from "../../shared/bytes/encoding.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import {
  type ExchangeKey,
  type NativeKeys,
  type SealingKey,
  type VerifyKey,
  webCryptoKeys,
} from "../../shared/crypto/native_keys.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import { X25519_BYTES, x25519Pkcs8 } from "../../shared/crypto/x25519.ts";
import { PosternError } from "../../shared/errors.ts";

const CIPHER = "aes-256-gcm";
const TAG = { authTagLength: AEAD_TAG_BYTES };
/** SubjectPublicKeyInfo in front of the 32 bytes of an X25519 public key (RFC 8410 section 4). */
const SPKI_PREFIX = fromHex("302a300506032b656e032100");

/**
 * Ed25519, X25519 and AES-256-GCM of `node:crypto`. Measured on two processors, 32 clients: a login takes 518 microseconds of them,
 * and 696 with WebCrypto's X25519, which runs beside the event loop and costs more in going there than it saves.
 */
export const nodeKeys: NativeKeys = {
  verifyKey(spki) {
    // WebCrypto verifies the others on threads of its own, which is worth a promise: each takes several times as long.
    const key = algorithmOfSpki(spki) === "Ed25519" ? tryPublicKey(spki) : null;
    return key === null ? webCryptoKeys.verifyKey(spki) : new Ed25519Key(key);
  },
  newExchangeKey() {
    const { privateKey, publicKey } = generateKeyPairSync("x25519");
    return new X25519Key(privateKey, publicKey);
  },
  exchangeKey(secret) {
    const pkcs8 = x25519Pkcs8(secret);
    const privateKey = createPrivateKey({ key: toBuffer(pkcs8), format: "der", type: "pkcs8" });
    pkcs8.fill(0);
    return new X25519Key(privateKey, createPublicKey(privateKey));
  },
  sealingKey: (raw) => new AesGcmKey(raw),
};

/** Null for 32 bytes that are no point, which WebCrypto takes: nothing verifies with them. */
function tryPublicKey(spki: Bytes): KeyObject | null {
  try {
    return createPublicKey({ key: toBuffer(spki), format: "der", type: "spki" });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

class Ed25519Key implements VerifyKey {
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  verify(signature: Bytes, message: Bytes): boolean {
    return verify(null, message, this.#key, signature);
  }
}

class X25519Key implements ExchangeKey {
  readonly publicKey: Bytes;
  readonly #privateKey: KeyObject;

  constructor(privateKey: KeyObject, publicKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = fromBase64Url(publicKey.export({ format: "jwk" }).x ?? "");
  }

  agree(theirs: Bytes): Bytes {
    if (theirs.length !== X25519_BYTES) {
      throw new PosternError("malformed", `expected an X25519 public key of 32 bytes, found ${theirs.length}`);
    }
    const publicKey = createPublicKey({ key: toBuffer(concat(SPKI_PREFIX, theirs)), format: "der", type: "spki" });
    let shared: Uint8Array;
    try {
      shared = diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch (cause) {
      // Of two good keys the only thing that can be wrong is their product; some versions return the zeros instead.
      throw smallOrder(cause);
    }
    if (shared.every((byte) => byte === 0)) throw smallOrder(undefined);
    return plain(shared);
  }
}

function smallOrder(cause: unknown): PosternError {
  return new PosternError("tampered", "the other side's X25519 key is of small order", { cause });
}

class AesGcmKey implements SealingKey {
  readonly #key: KeyObject;

  constructor(raw: Bytes) {
    if (raw.length !== AEAD_KEY_BYTES) {
      throw new PosternError("unsupported", `expected an AES-256-GCM key of 32 bytes, found ${raw.length}`);
    }
    this.#key = createSecretKey(raw);
  }

  seal(nonce: Bytes, plaintext: Bytes, associatedData: Bytes): Bytes {
    requireNonce(nonce);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, TAG);
    cipher.setAAD(associatedData);
    const ciphertext = cipher.update(plaintext);
    return concat(ciphertext, cipher.final(), cipher.getAuthTag());
  }

  open(nonce: Bytes, ciphertext: Bytes, associatedData: Bytes): Bytes {
    requireNonce(nonce);
    const end = ciphertext.length - AEAD_TAG_BYTES;
    if (end < 0) throw notOurs(ciphertext, undefined);
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, TAG);
    decipher.setAAD(associatedData);
    decipher.setAuthTag(ciphertext.subarray(end));
    const plaintext = decipher.update(ciphertext.subarray(0, end));
    try {
      // Only here the tag is compared: what was decrypted before leaves this function no other way.
      return concat(plaintext, decipher.final());
    } catch (cause) {
      plaintext.fill(0);
      throw notOurs(ciphertext, cause);
    }
  }
}

function requireNonce(nonce: Bytes): void {
  if (nonce.length !== AEAD_NONCE_BYTES) {
    throw new PosternError("unsupported", `expected a nonce of ${AEAD_NONCE_BYTES} bytes, found ${nonce.length}`);
  }
}

function notOurs({ length }: Bytes, cause: unknown): PosternError {
  return new PosternError("tampered", `${length} bytes of ciphertext do not belong to this key and context`, { cause });
}

/** Node reads keys from its own subclass alone. */
function toBuffer({ buffer, byteOffset, length }: Bytes): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** Node hands out that subclass, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** X25519 (RFC 7748) over WebCrypto. Public keys are 32 raw bytes; private keys stay in the runtime. */
import { type Bytes, concat } from "../bytes/bytes.ts";
import { fromHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";

export const X25519_BYTES = 32;

/** PKCS#8 in front of the 32 bytes of a private key (RFC 8410 section 7). */
const PKCS8_PREFIX = fromHex("302e020100300506032b656e04220420");

/** The u-coordinate 9, whose multiple by a private key is the public key. */
const BASE_POINT = Uint8Array.from({ length: X25519_BYTES }, (_, at) => at === 0 ? 9 : 0);

/** A private key and its public key. */
export interface X25519KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

/** A new key pair; the private key cannot be taken out. */
export async function generateX25519(): Promise<X25519KeyPair> {
  const { privateKey } = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]) as CryptoKeyPair;
  return { privateKey, publicKey: await x25519PublicKey(privateKey) };
}

/** DER PKCS#8 of the 32 bytes of a private key. @throws `unsupported` for another length. */
export function x25519Pkcs8(secret: Bytes): Bytes {
  if (secret.length !== X25519_BYTES) {
    throw new PosternError("unsupported", `expected an X25519 private key of 32 bytes, found ${secret.length}`);
  }
  return concat(PKCS8_PREFIX, secret);
}

/**
 * A key pair from the 32 bytes of its private key, which cannot be taken out again.
 *
 * @throws `unsupported` for another length.
 */
export async function importX25519(secret: Bytes): Promise<X25519KeyPair> {
  const pkcs8 = x25519Pkcs8(secret);
  const keyPair = await importX25519Pkcs8(pkcs8);
  pkcs8.fill(0);
  return keyPair;
}

/**
 * A key pair from DER PKCS#8 (RFC 8410 section 7). The private key cannot be taken out again.
 *
 * @throws `malformed` unless it is an X25519 private key.
 */
export async function importX25519Pkcs8(pkcs8: Bytes): Promise<X25519KeyPair> {
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "X25519", false, ["deriveBits"]);
    return { privateKey, publicKey: await x25519PublicKey(privateKey) };
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    throw new PosternError("malformed", "expected an X25519 private key, found bytes that are not", { cause });
  }
}

/** The public key of a private key, also of one that cannot be taken out. */
export async function x25519PublicKey(privateKey: CryptoKey): Promise<Bytes> {
  return await deriveX25519(privateKey, BASE_POINT);
}

/**
 * The 32 bytes that both sides share. Not a key yet: derive one from it with everything both sides know (RFC 7748 section 6.1).
 *
 * @throws `malformed` unless `publicKey` has 32 bytes; `tampered` if the result would be all zeros, which it is for the few public
 * keys of small order that make it independent of the private key (spec: SESS-05).
 */
export async function deriveX25519(privateKey: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  if (publicKey.length !== X25519_BYTES) {
    throw new PosternError("malformed", `expected an X25519 public key of 32 bytes, found ${publicKey.length}`);
  }
  const imported = await crypto.subtle.importKey("raw", publicKey, "X25519", true, []);
  let shared: Bytes;
  try {
    shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: imported }, privateKey, 256));
  } catch (cause) {
    // Runtimes that follow the later text of the standard refuse here, the others return the zeros.
    if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;
    throw smallOrder(cause);
  }
  if (shared.every((byte) => byte === 0)) throw smallOrder(undefined);
  return shared;
}

function smallOrder(cause: unknown): PosternError {
  return new PosternError("tampered", "the other side's X25519 key is of small order", { cause });
}

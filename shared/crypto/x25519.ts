/** X25519 (RFC 7748) over WebCrypto, or the runtime's own where there is one. Public keys are 32 raw bytes; private keys stay in the runtime. */
import { type Bytes, concat, equalBytes } from "../bytes/bytes.ts";
import { fromHex } from "../bytes/encoding.ts";
import { PosternError } from "../errors.ts";
import { nativeX25519 } from "./native_x25519.ts";
import { orFailed, orMalformed } from "./refusal.ts";

export const X25519_BYTES = 32;

/** PKCS#8 in front of the 32 bytes of a private key (RFC 8410 section 7). */
const PKCS8_PREFIX = fromHex("302e020100300506032b656e04220420");

/** The u-coordinate 9, whose multiple by a private key is the public key. */
const BASE_POINT = Uint8Array.from({ length: X25519_BYTES }, (_, at) => at === 0 ? 9 : 0);

/** All u-coordinates below the prime whose points have an order of 1, 2, 4 or 8 (https://cr.yp.to/ecdh.html#validate). */
const SMALL_ORDER: readonly Bytes[] = [
  "00".repeat(X25519_BYTES),
  `01${"00".repeat(X25519_BYTES - 1)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(X25519_BYTES - 2)}7f`,
].map(fromHex);

const SMALL_ORDER_FOUND = "the other side's X25519 key is of small order";

/** Whether a public key, in its canonical spelling, makes {@link deriveX25519} refuse, whatever the private key is. */
export function isSmallOrderX25519(publicKey: Bytes): boolean {
  return SMALL_ORDER.some((one) => equalBytes(one, publicKey));
}

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
  const imported = crypto.subtle.importKey("pkcs8", pkcs8, "X25519", false, ["deriveBits"]);
  const privateKey = await orMalformed(imported, "an X25519 private key");
  return { privateKey, publicKey: await x25519PublicKey(privateKey) };
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
  requireLength(publicKey);
  const shared = nativeX25519(privateKey, publicKey);
  return notZeros(shared ?? await deriveByWebCrypto(privateKey, publicKey));
}

/**
 * The same, for whoever agrees with many at once: WebCrypto does it beside the event loop, on as many cores as there are. For one alone,
 * {@link deriveX25519} is quicker.
 */
export async function deriveX25519Beside(privateKey: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  requireLength(publicKey);
  return notZeros(await deriveByWebCrypto(privateKey, publicKey));
}

function requireLength(publicKey: Bytes): void {
  if (publicKey.length === X25519_BYTES) return;
  throw new PosternError("malformed", `expected an X25519 public key of 32 bytes, found ${publicKey.length}`);
}

function notZeros(shared: Bytes): Bytes {
  if (shared.every((byte) => byte === 0)) throw new PosternError("tampered", SMALL_ORDER_FOUND);
  return shared;
}

async function deriveByWebCrypto(privateKey: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", publicKey, "X25519", true, []);
  // Runtimes that follow the later text of the standard refuse here, the others return the zeros.
  const derived = crypto.subtle.deriveBits({ name: "X25519", public: imported }, privateKey, 256);
  return new Uint8Array(await orFailed(derived, "tampered", SMALL_ORDER_FOUND));
}

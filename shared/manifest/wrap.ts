/** Wraps the MEK for one instance of schema 2, and unwraps it (spec: MAN-15, MAN-16, MAN-17). */
import { type Bytes, compareBytes, concat, EMPTY, utf8 } from "../bytes/bytes.ts";
import { toBase64, toHex } from "../bytes/encoding.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES } from "../crypto/aead.ts";
import { secretKey } from "../crypto/brand.ts";
import { hmacSha256 } from "../crypto/hash.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { openHpke, sealHpke } from "../crypto/hpke.ts";
import type { HpkePrivateKey } from "../crypto/hpke_keys.ts";
import { openOnce, sealOnce } from "../crypto/short_aead.ts";
import { deriveX25519, deriveX25519Beside, X25519_BYTES, type X25519KeyPair } from "../crypto/x25519.ts";
import { XWING_CIPHERTEXT_BYTES } from "../crypto/xwing.ts";
import { PosternError } from "../errors.ts";
import { writePlainList } from "./json.ts";
import { MANIFEST_LABELS } from "./labels.ts";
import { OPAQUE_ID_BYTES } from "./recipient_table.ts";
import type { Mek, ReleaseId } from "./release_keys.ts";

/** 2^255 - 19, big-endian: the prime of X25519. */
const PRIME = new Uint8Array(X25519_BYTES).fill(0xff).with(0, 0x7f).with(X25519_BYTES - 1, 0xed);

/**
 * Under which name the wrapped MEK of an instance stands in one envelope: nobody without the entry secret can tell whose it is, or
 * that two of them are of one instance (spec: MAN-14).
 */
export function opaqueId(entrySecret: Bytes, release: ReleaseId, mdkVersion: number): Bytes {
  const texts = writePlainList(MANIFEST_LABELS.recipient, toBase64(release)).slice(0, -1);
  return hmacSha256(entrySecret, `${texts},${mdkVersion}]`).subarray(0, OPAQUE_ID_BYTES);
}

/** What an entry belongs to. */
export interface EntryContext {
  readonly release: ReleaseId;
  /** Opaque id. */
  readonly id: Bytes;
}

/** Quantum-safe, 1168 bytes. @throws `malformed`, `unsupported` for what is no X-Wing key */
export async function wrapXWing(publicKey: Bytes, context: EntryContext, mek: Mek): Promise<Bytes> {
  const { encapsulated, ciphertext } = await sealHpke("xwing", publicKey, wrapInfo(context), mek);
  return concat(encapsulated, ciphertext);
}

/** @throws `tampered` if it is not for this key, release and id */
export async function unwrapXWing(key: HpkePrivateKey, context: EntryContext, wrapped: Bytes): Promise<Mek> {
  const [encapsulated, ciphertext] = [
    wrapped.slice(0, XWING_CIPHERTEXT_BYTES),
    wrapped.slice(XWING_CIPHERTEXT_BYTES),
  ];
  return secretKey<"Mek">(await openHpke("xwing", key, wrapInfo(context), { encapsulated, ciphertext }));
}

/**
 * Classical, 48 bytes, with one ephemeral key pair for all recipients of an envelope: the recipient's own key is in the
 * derivation, which is what makes that safe.
 *
 * @throws `malformed` for a public key that is none; `tampered` for one of small order
 */
export async function wrapX25519(
  ephemeral: X25519KeyPair,
  publicKey: Bytes,
  context: EntryContext,
  mek: Mek,
): Promise<Bytes> {
  requireCanonicalX25519(publicKey);
  const shared = await deriveX25519Beside(ephemeral.privateKey, publicKey);
  const { key, iv } = entryKey(shared, ephemeral.publicKey, publicKey, context);
  return await sealOnce(key, iv, mek, EMPTY);
}

/** @throws `tampered` if it is not for this key, release and id */
export async function unwrapX25519(
  own: X25519KeyPair,
  ephemeral: Bytes,
  context: EntryContext,
  wrapped: Bytes,
): Promise<Mek> {
  const shared = await deriveX25519(own.privateKey, ephemeral);
  const { key, iv } = entryKey(shared, ephemeral, own.publicKey, context);
  return secretKey<"Mek">(await openOnce(key, iv, wrapped, EMPTY));
}

/** HPKE's info of an X-Wing entry. */
export function wrapInfo({ release, id }: EntryContext): Bytes {
  return utf8(writePlainList(MANIFEST_LABELS.wrap, toBase64(release), toHex(id)));
}

/** A key that seals one message, so its nonce may come from the same derivation. */
function entryKey(shared: Bytes, ephemeral: Bytes, recipient: Bytes, { release, id }: EntryContext) {
  const info = utf8(writePlainList(MANIFEST_LABELS.wrap, toBase64(ephemeral), toBase64(recipient), toHex(id)));
  const okm = hkdf(release, shared, info, AEAD_KEY_BYTES + AEAD_NONCE_BYTES);
  return { key: okm.subarray(0, AEAD_KEY_BYTES), iv: okm.subarray(AEAD_KEY_BYTES) };
}

/** X25519 takes several spellings of one key; a registry holds one of them. @throws `malformed` for all others */
export function requireCanonicalX25519(publicKey: Bytes): void {
  if (publicKey.length !== X25519_BYTES || compareBytes(publicKey.toReversed(), PRIME) >= 0) {
    throw new PosternError("malformed", "expected an X25519 public key of 32 bytes below the prime");
  }
}

/**
 * The keys that an edge works with, behind an interface: WebCrypto's, which every runtime has, or those of a host that offers the
 * same operations without a promise. For short inputs the promise costs as much as the operation (measured in Deno 2.9, microseconds of
 * CPU with and without: Ed25519 verify 55 / 33, X25519 78 / 63, AES-256-GCM of 200 bytes 50 / 7).
 */
import type { Bytes } from "../bytes/bytes.ts";
import { importAeadKey, openAead, sealAead } from "./aead.ts";
import type { Eventually } from "./eventually.ts";
import { algorithmOfSpki, importVerifyKey, verifySignature } from "./signature.ts";
import { deriveX25519, generateX25519, importX25519, type X25519KeyPair } from "./x25519.ts";

/** A public key that verifies. */
export interface VerifyKey {
  /** Whether this is the key's signature over the message, as {@link verifySignature}. */
  verify(signature: Bytes, message: Bytes): Eventually<boolean>;
}

/** An X25519 key pair whose private key cannot be taken out. */
export interface ExchangeKey {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** The 32 bytes shared with the holder of another public key. @throws `malformed`, `tampered`, as {@link deriveX25519} */
  agree(theirs: Bytes): Eventually<Bytes>;
}

/** An AES-256-GCM key that cannot be taken out. */
export interface SealingKey {
  /** As {@link sealAead}. @throws `unsupported` */
  seal(nonce: Bytes, plaintext: Bytes, associatedData: Bytes): Eventually<Bytes>;
  /** As {@link openAead}. @throws `tampered`, `unsupported` */
  open(nonce: Bytes, ciphertext: Bytes, associatedData: Bytes): Eventually<Bytes>;
}

/** Makes keys of all three kinds. */
export interface NativeKeys {
  /** @param spki DER SubjectPublicKeyInfo; the algorithm follows from it (spec: KEY-01) @throws `malformed`, `unsupported` */
  verifyKey(spki: Bytes): Eventually<VerifyKey>;
  newExchangeKey(): Eventually<ExchangeKey>;
  /** @param secret 32 bytes @throws `unsupported` for another length */
  exchangeKey(secret: Bytes): Eventually<ExchangeKey>;
  /** @param raw 32 bytes @throws `unsupported` for another length */
  sealingKey(raw: Bytes): Eventually<SealingKey>;
}

/** WebCrypto's, for every runtime. */
export const webCryptoKeys: NativeKeys = {
  async verifyKey(spki) {
    const key = await importVerifyKey(spki, algorithmOfSpki(spki));
    return { verify: (signature, message) => verifySignature(key, signature, message) };
  },
  newExchangeKey: async () => exchangeKeyOf(await generateX25519()),
  exchangeKey: async (secret) => exchangeKeyOf(await importX25519(secret)),
  async sealingKey(raw) {
    const key = await importAeadKey(raw);
    return {
      seal: (nonce, plaintext, associatedData) => sealAead(key, nonce, plaintext, associatedData),
      open: (nonce, ciphertext, associatedData) => openAead(key, nonce, ciphertext, associatedData),
    };
  },
};

function exchangeKeyOf({ privateKey, publicKey }: X25519KeyPair): ExchangeKey {
  return { publicKey, agree: (theirs) => deriveX25519(privateKey, theirs) };
}

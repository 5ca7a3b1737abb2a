/** Keys and randomness that are always the same, so that the examples are. Nothing else may use them: everybody knows them. */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { type Bytes, concat, EMPTY, utf8 } from "../../shared/bytes/bytes.ts";
import { fromBase64Url, fromHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Sealed } from "../../shared/crypto/hpke.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { importSigningKey, sign } from "../../shared/crypto/signature.ts";
import type { Signer } from "../../shared/protocol/signed.ts";

/** PKCS#8 and SubjectPublicKeyInfo in front of the 32 bytes of an Ed25519 key (RFC 8410 sections 4 and 7). */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");
const SPKI_PREFIX = fromHex("302a300506032b6570032100");

/** Bytes that look random and are the same in every run: SHA-256 over the label and a counter. */
export function seeded(label: string): RandomBytes {
  let counter = 0;
  let rest: Bytes = EMPTY;
  return (length) => {
    while (rest.length < length) rest = concat(rest, sha256(utf8(`${label} ${counter++}`)));
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
}

/** An Ed25519 key pair; its signatures are deterministic (RFC 8032 section 5.1.6). */
export interface FixedSigningKey {
  readonly seed: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  readonly sign: Signer;
}

export async function signingKeyFrom(seed: Bytes): Promise<FixedSigningKey> {
  const pkcs8 = concat(PKCS8_PREFIX, seed);
  const extractable = await importSigningKey(pkcs8, "Ed25519", true);
  const { x = "" } = await crypto.subtle.exportKey("jwk", extractable);
  const privateKey = await importSigningKey(pkcs8, "Ed25519", false);
  const publicKey = concat(SPKI_PREFIX, fromBase64Url(x));
  return { seed, publicKey, privateKey, sign: (message) => sign(privateKey, message) };
}

/** HPKE with suite `xwing` and the randomness given: 64 bytes, ML-KEM's 32 and X25519's ephemeral private key. */
export async function sealWith(randomness: Bytes, publicKey: Bytes, info: Bytes, plaintext: Bytes): Promise<Sealed> {
  const kem = new XWing();
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientPublicKey = await kem.deserializePublicKey(publicKey.slice().buffer);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info, ekm: randomness.slice().buffer }, plaintext, EMPTY);
  return { encapsulated: new Uint8Array(enc), ciphertext: new Uint8Array(ct) };
}

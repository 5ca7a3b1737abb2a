/** Keys and randomness that are always the same, so that the examples are. Nothing else may use them: everybody knows them. */
import {
  Aes256Gcm,
  CipherSuite,
  DhkemP256HkdfSha256,
  DhkemP384HkdfSha384,
  DhkemP521HkdfSha512,
  DhkemX25519HkdfSha256,
  HkdfSha256,
} from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { type Bytes, concat, EMPTY, utf8 } from "../../shared/bytes/bytes.ts";
import { fromBase64Url, fromHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Sealed } from "../../shared/crypto/hpke.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { type DhkemSuite } from "../../shared/crypto/hpke_keys.ts";
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

/** A key pair of one of the suites of RFC 9180, and something sealed to it, both from fixed bytes (DeriveKeyPair, section 7.1.3). */
export interface SealedClassically extends Sealed {
  /** As section 7.1.2 serialises it. */
  readonly privateKey: Bytes;
  /** As section 7.1.1 does: raw for X25519, an uncompressed point for the others. */
  readonly publicKey: Bytes;
}

const DHKEMS = {
  x25519: () => new DhkemX25519HkdfSha256(),
  p256: () => new DhkemP256HkdfSha256(),
  p384: () => new DhkemP384HkdfSha384(),
  p521: () => new DhkemP521HkdfSha512(),
};

/** HPKE with a classical suite. @param random gives the recipient's and the sender's keying material, 66 bytes each */
export async function sealClassically(
  name: DhkemSuite,
  random: RandomBytes,
  info: Bytes,
  plaintext: Bytes,
): Promise<SealedClassically> {
  const kem = DHKEMS[name]();
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const pair = await kem.deriveKeyPair(random(66).buffer);
  const ekm = await kem.deriveKeyPair(random(66).buffer);
  const { enc, ct } = await suite.seal({ recipientPublicKey: pair.publicKey, info, ekm }, plaintext, EMPTY);
  return {
    ...{ privateKey: new Uint8Array(await kem.serializePrivateKey(pair.privateKey)) },
    ...{ publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)) },
    ...{ encapsulated: new Uint8Array(enc), ciphertext: new Uint8Array(ct) },
  };
}

/** The private keys of a device: made, brought along, kept. */
import { type Bytes, utf8 } from "../../bytes/bytes.ts";
import { type HpkePrivateKey, hpkePublicKeyOfSpki, type HpkeSuite, importHpkeKey } from "../../crypto/hpke_keys.ts";
import type { RandomBytes } from "../../crypto/random.ts";
import { Redacted, reveal } from "../../crypto/redacted.ts";
import {
  algorithmOfSpki,
  exportPkcs8,
  exportSpki,
  generateSigningKey,
  importSigningKey,
  importVerifyKey,
  sign,
  verifySignature,
} from "../../crypto/signature.ts";
import { x25519Pkcs8 } from "../../crypto/x25519.ts";
import { PosternError } from "../../errors.ts";
import type { Signer } from "../../protocol/signed.ts";

/** What has to be kept to have the keys again; whoever holds it is the device. */
export interface DeviceSecrets {
  /** DER PKCS#8 of the key that signs. */
  readonly signing: Bytes;
  /** X-Wing's seed, or DER PKCS#8; null when the signing key itself opens (spec: PAIR-05). */
  readonly kem: Bytes | null;
}

/** A device's keys, ready for use. */
export interface DeviceKeys {
  /** DER SubjectPublicKeyInfo of the key that signs. */
  readonly publicKey: Bytes;
  readonly sign: Signer;
  readonly suite: HpkeSuite;
  readonly kem: HpkePrivateKey;
  /** As it is registered: null when the suite uses the signing key itself. */
  readonly kemPublicKey: Bytes | null;
  /**
   * The CryptoKey that signs, for storage that keeps CryptoKeys (IndexedDB); so is `kem` where the runtime has the algorithm itself.
   */
  readonly signingKey: CryptoKey;
  /** Null when the keys were made not to be taken out. */
  readonly secrets: Redacted<DeviceSecrets> | null;
}

/** Keys that Postern makes for a device. */
export interface NewDeviceKeys {
  readonly algorithm?: "Ed25519" | "ES256";
  /** `x25519` falls to a quantum computer and needs the owner's consent (spec: WRAP-04). */
  readonly suite?: "xwing" | "x25519";
  /** Whether the keys can be taken out again, which storage in files needs. */
  readonly extractable: boolean;
}

/** Makes the keys of a new device. */
export async function createDeviceKeys(options: NewDeviceKeys, random: RandomBytes): Promise<DeviceKeys> {
  const { algorithm = "Ed25519", suite = "xwing", extractable } = options;
  const pair = await generateSigningKey(algorithm, extractable);
  const kemSecret = suite === "xwing" ? random(32) : x25519Pkcs8(random(32));
  const kem = await importHpkeKey(suite, kemSecret);
  const secrets = extractable
    ? new Redacted({ signing: await exportPkcs8(pair.privateKey), kem: kemSecret.slice() })
    : null;
  kemSecret.fill(0);
  return deviceKeysOf(await exportSpki(pair.publicKey), pair.privateKey, kem, kem.publicKey, secrets);
}

/**
 * The keys of a device from their secrets: its own that were kept, or those of a certificate brought along.
 *
 * @param publicKey DER SubjectPublicKeyInfo
 * @param suite of `secrets.kem`; null when that is null
 * @param extractable whether the secrets stay at hand, to be kept again
 * @throws `malformed`; `unsupported` for a key that Postern does not use; `wrong_key` when private and public key are no pair
 */
export async function importDeviceKeys(
  publicKey: Bytes,
  secrets: DeviceSecrets,
  suite: "xwing" | "x25519" | null,
  extractable: boolean,
): Promise<DeviceKeys> {
  const signing = await importSigningKey(secrets.signing, algorithmOfSpki(publicKey), false);
  await requirePair(publicKey, signing);
  const kept = extractable ? new Redacted(secrets) : null;
  if ((suite === null) !== (secrets.kem === null)) {
    throw new PosternError("malformed", "A device's KEM secret and its suite are both there or both absent");
  }
  if (suite !== null && secrets.kem !== null) {
    const kem = await importHpkeKey(suite, secrets.kem);
    return deviceKeysOf(publicKey, signing, kem, kem.publicKey, kept);
  }
  // spec: PAIR-05, WRAP-05
  const kem = await importHpkeKey(hpkePublicKeyOfSpki(publicKey).suite, secrets.signing);
  return deviceKeysOf(publicKey, signing, kem, null, kept);
}

/** Keys whose private halves lie in storage that keeps them without showing them, such as IndexedDB. */
export function deviceKeysOf(
  publicKey: Bytes,
  signingKey: CryptoKey,
  kem: HpkePrivateKey,
  kemPublicKey: Bytes | null,
  secrets: Redacted<DeviceSecrets> | null = null,
): DeviceKeys {
  const signer: Signer = (message) => sign(signingKey, message);
  return { publicKey, sign: signer, suite: kem.suite, kem, kemPublicKey, signingKey, secrets };
}

/** @throws `usage` for keys that were made not to be taken out */
export function takeSecrets(keys: DeviceKeys): DeviceSecrets {
  if (keys.secrets === null) {
    throw new PosternError("usage", "The device's keys cannot be taken out: make them with extractable to keep them");
  }
  return reveal(keys.secrets);
}

async function requirePair(publicKey: Bytes, privateKey: CryptoKey): Promise<void> {
  const message = utf8("a pair?");
  const key = await importVerifyKey(publicKey, algorithmOfSpki(publicKey));
  if (await verifySignature(key, await sign(privateKey, message), message)) return;
  throw new PosternError("wrong_key", "The private key does not belong to the public key beside it");
}

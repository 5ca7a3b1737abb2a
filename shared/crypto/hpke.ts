/**
 * Sealing to a public key: HPKE (RFC 9180), base mode, one message for each encapsulation, HKDF-SHA-256 and AES-256-GCM; or RSA-OAEP
 * for RSA certificates brought along (shared/spec/wrapping.md).
 *
 * Base mode says nothing about who sealed: anyone can. What was opened is to be checked against something signed. There is no
 * limit on messages, because each is sealed under a fresh key.
 */
import {
  DhkemP256HkdfSha256,
  DhkemP384HkdfSha384,
  DhkemP521HkdfSha512,
  DhkemX25519HkdfSha256,
  HpkeError,
  type KemInterface,
} from "@hpke/core";
import { type Bytes, EMPTY } from "../bytes/bytes.ts";
import { isPosternError, PosternError } from "../errors.ts";
import {
  type DhkemSuite,
  HPKE_SUITES,
  type HpkePrivateKey,
  type HpkeSuite,
  requireHpkePublicKey,
} from "./hpke_keys.ts";
import { messageKey } from "./hpke_schedule.ts";
import { decryptOaep, encryptOaep, importOaepSpki } from "./rsa_oaep.ts";
import { openOnce, sealOnce } from "./short_aead.ts";
import { xwingRecipient, xwingSender } from "./xwing.ts";

/** What travels: the encapsulated key (empty for RSA) and the ciphertext. */
export interface Sealed {
  readonly encapsulated: Bytes;
  readonly ciphertext: Bytes;
}

type KemPrivateKey = Exclude<HpkePrivateKey, { suite: "rsa-oaep-256" }>;

const DHKEMS: Readonly<Record<DhkemSuite, () => KemInterface>> = {
  x25519: () => new DhkemX25519HkdfSha256(),
  p256: () => new DhkemP256HkdfSha256(),
  p384: () => new DhkemP384HkdfSha384(),
  p521: () => new DhkemP521HkdfSha512(),
};

/**
 * Seals a plaintext for the holder of a public key.
 *
 * @param info what this is and where it belongs; opening with another fails.
 * @throws `malformed` or `unsupported` for a public key that does not fit the suite. With `rsa-oaep-256`: `too_large` beyond the
 * modulus less 66 bytes, and `unsupported` with associated data, for which it has no place.
 */
export async function sealHpke(
  suite: HpkeSuite,
  publicKey: Bytes,
  info: Bytes,
  plaintext: Bytes,
  associatedData: Bytes = EMPTY,
): Promise<Sealed> {
  if (suite === "rsa-oaep-256") {
    refuseAssociatedData(associatedData);
    return { encapsulated: EMPTY, ciphertext: await encryptOaep(await importOaepSpki(publicKey), info, plaintext) };
  }
  await requireHpkePublicKey(suite, publicKey);
  const kem = suite === "xwing" ? await xwingSender() : DHKEMS[suite]();
  const { enc, sharedSecret } = await encapsulate(suite, kem, publicKey);
  const { key, nonce } = messageKey(kem.id, new Uint8Array(sharedSecret), info);
  return { encapsulated: new Uint8Array(enc), ciphertext: await sealOnce(key, nonce, plaintext, associatedData) };
}

async function encapsulate(suite: HpkeSuite, kem: KemInterface, publicKey: Bytes) {
  try {
    return await kem.encap({ recipientPublicKey: await kem.deserializePublicKey(publicKey.slice().buffer) });
  } catch (cause) {
    if (!(cause instanceof HpkeError)) throw cause;
    throw new PosternError("malformed", `expected a public key for ${suite}, found bytes that are not`, { cause });
  }
}

/**
 * The plaintext of what {@link sealHpke} made.
 *
 * @throws `tampered` if key, info, associated data or any byte is not the one that was sealed; `unsupported` if `suite`, which the
 * sender named, is not that of the private key (spec: WRAP-02).
 */
export async function openHpke(
  suite: string,
  privateKey: HpkePrivateKey,
  info: Bytes,
  { encapsulated, ciphertext }: Sealed,
  associatedData: Bytes = EMPTY,
): Promise<Bytes> {
  if (suite !== privateKey.suite) {
    throw new PosternError("unsupported", `expected something sealed with ${privateKey.suite}, found another suite`);
  }
  if (encapsulated.length !== HPKE_SUITES[privateKey.suite].encapsulatedBytes) {
    throw tampered(privateKey.suite, `an encapsulated key of ${encapsulated.length} bytes`);
  }
  if (privateKey.suite === "rsa-oaep-256") {
    refuseAssociatedData(associatedData);
    return await decryptOaep(privateKey.key, info, ciphertext);
  }
  const { kemId, shared } = await decapsulate(privateKey, encapsulated);
  const { key, nonce } = messageKey(kemId, shared, info);
  return await openOnce(key, nonce, ciphertext, associatedData);
}

/** What was encapsulated, and the number of the KEM. */
async function decapsulate(privateKey: KemPrivateKey, encapsulated: Bytes): Promise<{ kemId: number; shared: Bytes }> {
  try {
    const { kem, recipientKey } = await recipient(privateKey, encapsulated);
    const shared = new Uint8Array(await kem.decap({ recipientKey, enc: encapsulated.slice().buffer }));
    return { kemId: kem.id, shared };
  } catch (cause) {
    if (!(cause instanceof HpkeError) && !isPosternError(cause, "malformed")) throw cause;
    throw tampered(privateKey.suite, "an encapsulated key that is not for this one", cause);
  }
}

async function recipient(privateKey: KemPrivateKey, encapsulated: Bytes) {
  if (privateKey.suite === "xwing") return await xwingRecipient(privateKey.key);
  // An encapsulation is a public key of the sender's.
  await requireHpkePublicKey(privateKey.suite, encapsulated);
  const kem = DHKEMS[privateKey.suite]();
  // As a pair, because the library would otherwise take the private key out to find the public one.
  const publicKey = await kem.deserializePublicKey(privateKey.publicKey.slice().buffer);
  return { kem, recipientKey: { privateKey: privateKey.key, publicKey } };
}

function refuseAssociatedData(associatedData: Bytes): void {
  if (associatedData.length === 0) return;
  throw new PosternError("unsupported", "rsa-oaep-256 has no place for associated data; bind it by the info");
}

function tampered(suite: HpkeSuite, found: string, cause?: unknown): PosternError {
  return new PosternError("tampered", `expected something sealed with ${suite}, found ${found}`, { cause });
}

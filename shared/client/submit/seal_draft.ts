/**
 * Drafts as they lie in a device's memory: encrypted to the device's own KEM key, since nothing else may open them, and signed with its
 * own key, since whoever writes into the memory could else hand things in as this device (spec: INBOX-15).
 */
import * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, importAeadKey, openAead, sealAead } from "../../crypto/aead.ts";
import { openHpke, sealHpke } from "../../crypto/hpke.ts";
import type { RandomBytes } from "../../crypto/random.ts";
import { LIMITS } from "../../limits.ts";
import { LABELS } from "../../protocol/labels.ts";
import { bytesOf, bytesUpTo, decodeAs } from "../../protocol/shapes.ts";
import { requireSignature } from "../../protocol/signed.ts";
import type { DeviceKeys } from "../identity/device_keys.ts";
import { decodeDraft, type Draft, encodeDraft } from "./draft.ts";
import type { DeviceProfile } from "../identity/profile.ts";

/** Whose draft it is. */
export interface DraftOwner {
  readonly profile: DeviceProfile;
  readonly keys: DeviceKeys;
}

/** A draft with its note and its frame. */
const MAX_SEALED_BYTES = LIMITS.maxMessageBytes + 16_384;

const sealedTuple = v.strictTuple([
  bytesUpTo(LIMITS.maxEncapsulatedBytes),
  bytesUpTo(LIMITS.maxWrappedKeyBytes),
  bytesOf(AEAD_NONCE_BYTES),
  bytesUpTo(MAX_SEALED_BYTES),
]);
const signedTuple = v.strictTuple([bytesUpTo(MAX_SEALED_BYTES), bytesUpTo(LIMITS.maxSignatureBytes, 1)]);

/** @param number of the draft: it opens under no other */
export async function sealDraft(draft: Draft, number: number, of: DraftOwner, random: RandomBytes): Promise<Bytes> {
  const info = draftInfo(number, of);
  const { suite, kem, sign } = of.keys;
  // One suite is RSA, which takes no more than a key.
  const key = random(AEAD_KEY_BYTES);
  const { encapsulated, ciphertext: wrapped } = await sealHpke(suite, kem.publicKey, info, key);
  const nonce = random(AEAD_NONCE_BYTES);
  const ciphertext = await sealAead(await importAeadKey(key), nonce, encodeDraft(draft), info);
  key.fill(0);
  const sealed = encodeCbor([encapsulated, wrapped, nonce, ciphertext]);
  return encodeCbor([sealed, await sign(signedDraft(number, of, sealed))]);
}

/** @throws `malformed`, `tampered`, `too_large` unless it is what {@link sealDraft} made under this number, for this device */
export async function openDraft(bytes: Bytes, number: number, of: DraftOwner): Promise<Draft> {
  const options = { maxBytes: MAX_SEALED_BYTES };
  const [sealed, signature] = decodeAs(signedTuple, bytes, "kept draft", options);
  await requireSignature(of.keys.publicKey, signature, signedDraft(number, of, sealed), "draft");
  const [encapsulated, wrapped, nonce, ciphertext] = decodeAs(sealedTuple, sealed, "sealed draft", options);
  const info = draftInfo(number, of);
  const { suite, kem } = of.keys;
  const key = await importAeadKey(await openHpke(suite, kem, info, { encapsulated, ciphertext: wrapped }));
  return decodeDraft(await openAead(key, nonce, ciphertext, info));
}

function draftInfo(number: number, { profile: { owner, device }, keys: { suite } }: DraftOwner): Bytes {
  return encodeCbor([LABELS.draftSeal, owner, device, suite, number]);
}

function signedDraft(number: number, { profile: { owner, device } }: DraftOwner, sealed: Bytes): Bytes {
  return encodeCbor([LABELS.draft, owner, device, number, sealed]);
}

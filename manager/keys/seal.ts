/**
 * Sealing a key under a provider's secret; the one place that does it, whatever the kind.
 *
 *     prk   = HKDF-Extract(salt = SHA-256(enc(["postern/1/kek", kind, parameters])), IKM = secret)
 *     check = HKDF-Expand(prk, enc(["postern/1/kek", "check"]), 32)
 *     key   = HKDF-Expand(prk, enc(["postern/1/kek", "encryption"]), 32)
 *     sealed = AES-256-GCM(key, nonce, wrapped key, AAD = enc(["postern/1/wrapped-key", kind, parameters, check, context]))
 *
 * The check value tells a wrong secret from a changed record, and it commits: no record opens under two secrets, which GCM by
 * itself would allow. One secret seals a handful of keys in its life, far from GCM's limit for random nonces.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { type CborInput, encodeCbor } from "../../shared/bytes/cbor.ts";
import { AEAD_NONCE_BYTES, importAeadKey, openAead, sealAead } from "../../shared/crypto/aead.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { KEK_LABELS } from "./labels.ts";
import { CHECK_BYTES, type KekParameters, WRAPPED_KEY_BYTES, type WrappedKey } from "./wrapped_key.ts";

/** Length of the secret that each provider comes to. */
export const KEK_SECRET_BYTES = 32;

/** What a provider came to for a record. */
export interface KekSecret {
  readonly kind: string;
  readonly parameters: KekParameters;
  readonly secret: Redacted<Bytes>;
}

/**
 * Seals a key.
 *
 * @throws `usage` unless key and secret have 32 bytes
 */
export async function sealKey(
  kek: KekSecret,
  key: Redacted<Bytes>,
  context: Bytes,
  random: RandomBytes,
): Promise<WrappedKey> {
  const plain = reveal(key);
  if (plain.length !== WRAPPED_KEY_BYTES) {
    throw new PosternError("usage", `a KEK wraps keys of ${WRAPPED_KEY_BYTES} bytes, not of ${plain.length}`);
  }
  const { check, encryption } = derive(kek);
  const nonce = random(AEAD_NONCE_BYTES);
  const aeadKey = await importAeadKey(encryption);
  const sealed = await sealAead(aeadKey, nonce, plain, associatedData(kek, check, context));
  return { kind: kek.kind, parameters: kek.parameters, check, nonce, sealed };
}

/**
 * Opens what {@link sealKey} made.
 *
 * @param advice what to do about a wrong KEK, as the second half of a sentence
 * @throws `wrong_key` or `tampered`; a record whose parameters or check value were changed cannot be told from a wrong KEK
 */
export async function openKey(
  kek: KekSecret,
  wrapped: WrappedKey,
  context: Bytes,
  advice: string,
): Promise<Redacted<Bytes>> {
  const { check, encryption } = derive(kek);
  if (!constantTimeEqual(check, wrapped.check)) {
    throw new PosternError("wrong_key", `this is not the ${kek.kind} that the key was wrapped by: ${advice}`);
  }
  try {
    const aeadKey = await importAeadKey(encryption);
    return new Redacted(await openAead(aeadKey, wrapped.nonce, wrapped.sealed, associatedData(kek, check, context)));
  } catch (cause) {
    if (!isPosternError(cause, "tampered")) throw cause;
    const found = `the ${kek.kind} is right, but the wrapped key was changed or belongs to another owner or purpose`;
    throw new PosternError("tampered", `${found}: restore its file from a backup`, { cause });
  }
}

function derive({ kind, parameters, secret }: KekSecret): { check: Bytes; encryption: Bytes } {
  const inputKey = reveal(secret);
  if (inputKey.length !== KEK_SECRET_BYTES) {
    throw new PosternError("usage", `a KEK's secret has ${KEK_SECRET_BYTES} bytes`);
  }
  const salt = sha256(encodeCbor([KEK_LABELS.kek, kind, asCbor(parameters)]));
  const pseudorandomKey = hkdfExtract(salt, inputKey);
  const expand = (purpose: string, length: number) =>
    hkdfExpand(pseudorandomKey, encodeCbor([KEK_LABELS.kek, purpose]), length);
  return { check: expand("check", CHECK_BYTES), encryption: expand("encryption", WRAPPED_KEY_BYTES) };
}

function associatedData({ kind, parameters }: KekSecret, check: Bytes, context: Bytes): Bytes {
  return encodeCbor([KEK_LABELS.wrappedKey, kind, asCbor(parameters), check, context]);
}

/** Decoded maps have no prototype, and those that a provider writes have one: they must encode alike. */
function asCbor(parameters: KekParameters): CborInput {
  return { ...parameters };
}

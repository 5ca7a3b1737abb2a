/** What derives from the MEK of a release, and the commitments to it (shared/spec/manifest.md, "Schemas 2 and 3"). */
import type { Bytes } from "../bytes/bytes.ts";
import { toBase64 } from "../bytes/encoding.ts";
import { type Brand, type SecretKey, secretKey } from "../crypto/brand.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { hmacSha256, sha256 } from "../crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf.ts";
import { PosternError } from "../errors.ts";
import { ALGORITHM, type Commitments, type PublicPart } from "./envelope.ts";
import { jcs, type JsonObject } from "./json.ts";
import { MANIFEST_LABELS, MANIFEST_PURPOSES } from "./labels.ts";
import { factsJson } from "./manifest.ts";

/** 32 random bytes of one envelope. */
export type Mek = SecretKey<"Mek">;
/** 32 bytes that name an envelope by all of its public fields. */
export type ReleaseId = Brand<Bytes, "ReleaseId">;

/** The keys of one envelope, whose MEK is the one that it commits to. */
export interface ReleaseKeys {
  /** Raw AES-256-GCM key; it seals one message. */
  readonly content: SecretKey<"ManifestContentKey">;
  readonly keyCommitment: Bytes;
  readonly manifestCommitment: SecretKey<"ManifestCommitmentKey">;
}

/** `public` as the members that the file has. */
export function publicJson(part: PublicPart): JsonObject {
  return {
    ...factsJson(part),
    ...{
      schema_version: part.schema,
      encryption_algorithm: ALGORITHM,
      key_id: part.keyId,
      key_version: part.keyVersion,
    },
    ...{ nonce: toBase64(part.nonce), wrap: part.wrap },
    ephemeral: part.ephemeral === undefined ? undefined : toBase64(part.ephemeral),
  };
}

/** What every wrapped MEK, opaque id and key of an envelope is bound to (spec: MAN-10). */
export function releaseId(part: PublicPart): ReleaseId {
  return sha256(jcs([MANIFEST_LABELS.release, publicJson(part)])) as ReleaseId;
}

/** The keys of a MEK. */
export function deriveReleaseKeys(mek: Mek, release: ReleaseId): ReleaseKeys {
  const prk = hkdfExtract(release, mek);
  const key = (purpose: string) => hkdfExpand(prk, jcs([MANIFEST_LABELS.key, purpose]), 32);
  return {
    content: secretKey<"ManifestContentKey">(key(MANIFEST_PURPOSES.content)),
    keyCommitment: key(MANIFEST_PURPOSES.keyCommitment),
    manifestCommitment: secretKey<"ManifestCommitmentKey">(key(MANIFEST_PURPOSES.manifestCommitment)),
  };
}

/**
 * The keys of an unwrapped MEK, if it is the one that the envelope commits to (spec: MAN-11): AES-GCM alone would open one
 * ciphertext under two keys to two manifests.
 *
 * @throws `tampered` for another one
 */
export function acceptMek(mek: Mek, release: ReleaseId, { keyCommitment }: Commitments): ReleaseKeys {
  const keys = deriveReleaseKeys(mek, release);
  if (!constantTimeEqual(keys.keyCommitment, keyCommitment)) {
    throw new PosternError("tampered", "the unwrapped MEK is not the one that the envelope commits to");
  }
  return keys;
}

/** The commitment to a manifest, before padding (spec: MAN-12). */
export function commitToManifest(keys: ReleaseKeys, manifest: Bytes): Bytes {
  return hmacSha256(keys.manifestCommitment, manifest);
}

/** Associated data of the content: everything that is public (spec: MAN-10). */
export function contentAssociatedData(part: PublicPart, { keyCommitment, manifestCommitment }: Commitments): Bytes {
  const commitments = [keyCommitment, manifestCommitment].map(toBase64);
  return jcs([MANIFEST_LABELS.content, publicJson(part), ...commitments]);
}

/** Encrypts the manifest of a release for its instances: one function for each schema (shared/spec/manifest.md). */
import { type Bytes, concat, EMPTY, utf8 } from "../bytes/bytes.ts";
import { toBase64 } from "../bytes/encoding.ts";
import { pad } from "../bytes/padding.ts";
import { sealToCover } from "../cover/seal.ts";
import type { CoverSecret } from "../cover/secret.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, importAeadKey, sealAead } from "../crypto/aead.ts";
import { secretKey, SYMMETRIC_KEY_BYTES } from "../crypto/brand.ts";
import type { RandomBytes } from "../crypto/random.ts";
import { generateX25519, type X25519KeyPair } from "../crypto/x25519.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { ALGORITHM, type Commitments, type KeyName, NONCE_BYTES, type PublicPart, type Wrap } from "./envelope.ts";
import { type JsonObject, writeJson } from "./json.ts";
import { type ReleaseFacts, type ReleaseManifest, writeManifest } from "./manifest.ts";
import { type RecipientEntry, writeTable } from "./recipient_table.ts";
import {
  commitToManifest,
  contentAssociatedData,
  deriveReleaseKeys,
  type Mek,
  publicJson,
  type ReleaseId,
  releaseId,
} from "./release_keys.ts";
import { opaqueId, wrapX25519, wrapXWing } from "./wrap.ts";

/** Recipients that are wrapped for at once: enough for all cores where WebCrypto uses them, without ten thousand promises. */
const BATCH = 64;

/** What is encrypted, under which name of a key. */
export interface Encryption extends KeyName {
  readonly manifest: ReleaseManifest;
  readonly random: RandomBytes;
}

/** An instance of schema 2, by what its publisher knows of it. */
export interface Recipient {
  /** 32 bytes that publisher and instance share. */
  readonly entrySecret: Bytes;
  readonly mdkVersion: number;
  /** X-Wing (1216 bytes) or X25519 (32), as the wrap asks for. */
  readonly publicKey: Bytes;
}

/**
 * The seed's format. It commits to nothing and one key reads all releases; instances take it only where they are configured to.
 *
 * @param key 32 bytes; it seals at most 2^32 manifests (spec: MAN-08)
 */
export async function encryptSchema1(encryption: Encryption, key: Bytes): Promise<Bytes> {
  const { manifest, keyId, keyVersion, random } = encryption;
  const blob = await sealBlob(encryption, key, writeManifest(manifest), EMPTY, random(AEAD_NONCE_BYTES));
  return utf8(writeJson({
    ...{ schema_version: 1, encryption_algorithm: ALGORITHM, key_id: keyId, key_version: keyVersion },
    ...{ encrypted_blob: blob, version: manifest.version, tag_name: manifest.tagName },
    is_critical: manifest.isCritical,
  }));
}

/**
 * One wrapped MEK for each recipient (spec: MAN-13, MAN-14, MAN-16, MAN-17).
 *
 * @param ephemeral for the worked examples alone
 * @throws `usage` without recipients, or for one that is listed twice; `malformed` for a public key that is none; `too_large`
 */
export async function encryptForRecipients(
  encryption: Encryption,
  wrap: Wrap,
  recipients: readonly Recipient[],
  ephemeral?: X25519KeyPair,
): Promise<Bytes> {
  const pair = wrap === "x25519" ? ephemeral ?? await generateX25519() : null;
  const part: PublicPart = {
    ...publicPart(encryption, 2),
    wrap,
    ...(pair === null ? {} : { ephemeral: pair.publicKey }),
  };
  const mek = newMek(encryption.random);
  const release = releaseId(part);
  const entries = await wrapAll(recipients, mek, release, pair);
  const { before, after } = split(await seal(encryption, part, mek, release, { encrypted_keys: [] }), "encrypted_keys");
  return requireSize(concat(before, writeTable(entries), after));
}

/**
 * The MEK for everybody but the revoked (spec: MAN-18).
 *
 * @param revoked numbers of the leaves of everybody who was ever revoked
 * @throws `usage` for a number that no leaf has; `too_large` for too many
 */
export async function encryptToCover(
  encryption: Encryption,
  secret: CoverSecret,
  revoked: Iterable<number>,
): Promise<Bytes> {
  const part = publicPart(encryption, 3);
  const mek = newMek(encryption.random);
  const release = releaseId(part);
  const header = sealToCover({ secret, revoked, release, random: encryption.random }, mek);
  return requireSize(utf8(await seal(encryption, part, mek, release, { cover: toBase64(header) })));
}

function publicPart({ manifest, keyId, keyVersion, random }: Encryption, schema: 2 | 3): PublicPart {
  const { product, version, tagName, isCritical, created, expires, floor } = manifest;
  const facts: ReleaseFacts = { product, version, tagName, isCritical, created, expires };
  return { schema, ...facts, ...(floor === undefined ? {} : { floor }), keyId, keyVersion, nonce: random(NONCE_BYTES) };
}

function newMek(random: RandomBytes): Mek {
  return secretKey<"Mek">(random(SYMMETRIC_KEY_BYTES));
}

/** The text of the envelope with the members in which the MEK lies. */
async function seal(
  encryption: Encryption,
  part: PublicPart,
  mek: Mek,
  release: ReleaseId,
  wrapped: JsonObject,
): Promise<string> {
  const keys = deriveReleaseKeys(mek, release);
  const manifest = writeManifest(encryption.manifest);
  const { keyCommitment } = keys;
  const commitments: Commitments = { keyCommitment, manifestCommitment: commitToManifest(keys, manifest) };
  const associatedData = contentAssociatedData(part, commitments);
  const iv = encryption.random(AEAD_NONCE_BYTES);
  const blob = await sealBlob(encryption, keys.content, pad(manifest), associatedData, iv);
  return writeJson({
    ...publicJson(part),
    ...wrapped,
    encrypted_blob: blob,
    key_commitment: toBase64(commitments.keyCommitment),
    manifest_commitment: toBase64(commitments.manifestCommitment),
  });
}

async function sealBlob(
  { keyId, keyVersion }: KeyName,
  key: Bytes,
  plaintext: Bytes,
  associatedData: Bytes,
  iv: Bytes,
): Promise<JsonObject> {
  const sealed = await sealAead(await importAeadKey(key), iv, plaintext, associatedData);
  const end = sealed.length - AEAD_TAG_BYTES;
  const [ciphertext, tag] = [sealed.subarray(0, end), sealed.subarray(end)];
  return {
    ...{ key_id: keyId, key_version: keyVersion },
    ...{ iv: toBase64(iv), ciphertext: toBase64(ciphertext), tag: toBase64(tag) },
  };
}

async function wrapAll(
  recipients: readonly Recipient[],
  mek: Mek,
  release: ReleaseId,
  ephemeral: X25519KeyPair | null,
): Promise<RecipientEntry[]> {
  const wrapFor = async ({ entrySecret, mdkVersion, publicKey }: Recipient): Promise<RecipientEntry> => {
    const id = opaqueId(entrySecret, release, mdkVersion);
    const wrapped = ephemeral === null
      ? await wrapXWing(publicKey, { release, id }, mek)
      : await wrapX25519(ephemeral, publicKey, { release, id }, mek);
    return { id, wrapped };
  };
  const entries: RecipientEntry[] = [];
  for (let at = 0; at < recipients.length; at += BATCH) {
    entries.push(...await Promise.all(recipients.slice(at, at + BATCH).map(wrapFor)));
  }
  return entries;
}

/** The bytes up to and from the middle of the empty list that stands for the recipients. */
function split(text: string, name: string): { readonly before: Bytes; readonly after: Bytes } {
  const at = text.indexOf(`"${name}":[]`) + name.length + 4;
  return { before: utf8(text.slice(0, at)), after: utf8(text.slice(at)) };
}

function requireSize(envelope: Bytes): Bytes {
  if (envelope.length <= LIMITS.maxEnvelopeBytes) return envelope;
  throw new PosternError("too_large", `the envelope would have more than ${LIMITS.maxEnvelopeBytes} bytes`);
}

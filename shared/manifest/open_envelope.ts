/**
 * The steps of opening an envelope, one function each (spec: MAN-19). They believe nobody, but they do not say who made it: call
 * `openManifest`, which has the signature verified first.
 */
import { type Bytes, concat, EMPTY } from "../bytes/bytes.ts";
import { withoutPadding } from "../bytes/padding.ts";
import { importAeadKey, openAead } from "../crypto/aead.ts";
import { secretKey } from "../crypto/brand.ts";
import { openCover } from "../cover/open.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { reveal } from "../crypto/redacted.ts";
import { isPosternError, PosternError } from "../errors.ts";
import type { Blob, Envelope, Envelope1, Envelope2, Envelope3 } from "./envelope.ts";
import type { InstanceKeys } from "./instance_keys.ts";
import { parseManifest, type ReleaseManifest } from "./manifest.ts";
import {
  acceptMek,
  commitToManifest,
  contentAssociatedData,
  type Mek,
  type ReleaseId,
  releaseId,
  type ReleaseKeys,
} from "./release_keys.ts";
import { opaqueId, unwrapX25519, unwrapXWing } from "./wrap.ts";

/** A key that is for an envelope, and has been checked as far as the schema allows. */
export type Unwrapped =
  | { readonly schema: 1; readonly envelope: Envelope1; readonly key: Bytes }
  | { readonly schema: 2 | 3; readonly envelope: Envelope2 | Envelope3; readonly keys: ReleaseKeys };

/**
 * The key of an envelope, by the keys of an instance (spec: MAN-11, MAN-15, MAN-18).
 *
 * @throws `forbidden` if the instance holds nothing that could open it; `revoked` if the release is for others;
 * `tampered` if what is wrapped for it does not open, or is not what the envelope commits to
 */
export async function unwrapEnvelope(envelope: Envelope, keys: InstanceKeys): Promise<Unwrapped> {
  if (envelope.schema === 1) {
    const { keyId, keyVersion } = envelope;
    const shared = keys.shared.find((one) => one.keyId === keyId && one.keyVersion === keyVersion);
    if (shared === undefined) throw notMeant();
    const { key } = shared;
    return { schema: 1, envelope, key: reveal(key) };
  }
  const release = releaseId(envelope);
  const mek = envelope.schema === 2 ? await findMek(envelope, release, keys) : uncoverMek(envelope, release, keys);
  return { schema: envelope.schema, envelope, keys: acceptMek(mek, release, envelope) };
}

/**
 * The bytes of the manifest, as they were encrypted and committed to (spec: MAN-08, MAN-12).
 *
 * @throws `tampered`; `wrong_key` for a key of schema 1 that does not open it; `malformed` for padding that is none
 */
export async function decryptEnvelope(unwrapped: Unwrapped): Promise<Bytes> {
  if (unwrapped.schema === 1) return await decryptSchema1(unwrapped.envelope, unwrapped.key);
  const { envelope, keys } = unwrapped;
  const padded = await openBlob(keys.content, envelope.blob, contentAssociatedData(envelope, envelope));
  const plaintext = withoutPadding(padded);
  if (!constantTimeEqual(commitToManifest(keys, plaintext), envelope.manifestCommitment)) {
    throw new PosternError("tampered", "the manifest is not the one that the envelope commits to");
  }
  return plaintext;
}

/**
 * The manifest, which says the same as the envelope (spec: MAN-23).
 *
 * @throws `malformed`, `too_large`, `unsupported`; `mixed_up` if they differ
 */
export function validateManifest(envelope: Envelope, plaintext: Bytes): ReleaseManifest {
  const manifest = parseManifest(plaintext);
  const names = envelope.schema === 1
    ? ["version", "tagName", "isCritical"] as const
    : ["version", "tagName", "isCritical", "product", "created", "expires", "floor"] as const;
  const outside: Partial<ReleaseManifest> = envelope;
  for (const name of names) {
    if (manifest[name] !== outside[name]) {
      throw new PosternError("mixed_up", `manifest and envelope do not say the same: ${name}`);
    }
  }
  return manifest;
}

async function findMek(
  { recipients, wrap, ephemeral = EMPTY }: Envelope2,
  release: ReleaseId,
  { mdks, registrations }: InstanceKeys,
): Promise<Mek> {
  if (mdks.length === 0 || registrations.length === 0) throw notMeant();
  for (const mdk of [...mdks].sort((a, b) => b.version - a.version)) {
    for (const { entrySecret } of registrations) {
      const id = opaqueId(reveal(entrySecret), release, mdk.version);
      const wrapped = recipients.find(id);
      if (wrapped === null) continue;
      return wrap === "xwing"
        ? await unwrapXWing(mdk.xwing, { release, id }, wrapped)
        : await unwrapX25519(mdk.x25519, ephemeral, { release, id }, wrapped);
    }
  }
  throw new PosternError(
    "revoked",
    "the release is for others than this instance: it was revoked before, or registered after it",
  );
}

/** By the keys of the tree that the header names. */
function uncoverMek({ cover }: Envelope3, release: ReleaseId, { registrations }: InstanceKeys): Mek {
  for (const { member } of registrations) {
    if (member === undefined) continue;
    try {
      return secretKey<"Mek">(openCover(cover, member, release));
    } catch (error) {
      if (!isPosternError(error, "wrong_key")) throw error;
    }
  }
  throw notMeant();
}

async function decryptSchema1({ blob }: Envelope1, key: Bytes): Promise<Bytes> {
  try {
    return await openBlob(key, blob, EMPTY);
  } catch (cause) {
    if (!isPosternError(cause, "tampered")) throw cause;
    throw new PosternError("wrong_key", "the key of this id and version does not open the manifest", { cause });
  }
}

async function openBlob(key: Bytes, { iv, ciphertext, tag }: Blob, associatedData: Bytes): Promise<Bytes> {
  return await openAead(await importAeadKey(key), iv, concat(ciphertext, tag), associatedData);
}

function notMeant(): PosternError {
  return new PosternError("forbidden", "this instance holds no key for such a release; is it registered?");
}

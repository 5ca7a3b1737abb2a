/**
 * The instance's keys as a file under a password:
 *
 *     file    = enc(["postern/1/mdk-export", wrapped file key, nonce, sealed])
 *     sealed  = AES-256-GCM(file key, nonce, enc(content), AAD = enc(["postern/1/mdk-export", wrapped file key, nonce]))
 *     content = ["postern/1/mdk-exported", identity key, [[version, secret, created, revoked]…], [[product, root, entry secret,
 *               cover, MDK version, registered, [[key id, key version, key]…]]…]]
 *
 * The wrapped file key is a record as the manager keeps one of its database key (wrapped_key.ts), under the password by Argon2id,
 * with the context `enc(["postern/1/mdk-export"])`. The identity key is PKCS#8. A file key seals one file.
 */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, importAeadKey, openAead, sealAead } from "../../shared/crypto/aead.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bytesOf, bytesUpTo, decodeAs, label, positive, textUpTo, uint } from "../../shared/protocol/shapes.ts";
import { MDK_LABELS } from "../keys/labels.ts";
import type { KekProvider } from "../keys/provider.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../keys/wrapped_key.ts";
import { MDK_BYTES } from "./mdk.ts";
import type { StoredMdk, StoredRegistration } from "./repository.ts";

const CONTEXT = encodeCbor([MDK_LABELS.export]);

/** What is exported: all that an instance is. */
export interface ExportedInstance {
  /** PKCS#8. */
  readonly identity: Redacted<Bytes>;
  /** The public keys are not in the file: they follow. */
  readonly mdks: readonly Omit<StoredMdk, "xwing" | "x25519">[];
  readonly registrations: readonly StoredRegistration[];
}

const list = <S extends v.GenericSchema>(item: S, max: number) => v.pipe(v.array(item), v.maxLength(max));
const mdk = v.strictTuple([positive, bytesOf(MDK_BYTES), uint, v.nullable(uint)]);
const sharedKey = v.strictTuple([textUpTo(LIMITS.maxKeyIdChars, 1), positive, bytesOf(32)]);
const registration = v.strictTuple([
  ...[textUpTo(LIMITS.maxProductChars, 1), bytesUpTo(LIMITS.maxCertificateBytes, 1), bytesOf(32)] as const,
  v.nullable(bytesUpTo(LIMITS.maxMemberKeysBytes, 1)),
  ...[positive, uint, list(sharedKey, LIMITS.maxSharedKeys)] as const,
]);
const content = v.strictTuple([
  label(MDK_LABELS.exported),
  bytesUpTo(LIMITS.maxPrivateKeyPemBytes, 1),
  v.pipe(list(mdk, LIMITS.maxMdkVersions), v.minLength(1)),
  list(registration, LIMITS.maxRegistrations),
]);
const file = v.strictTuple([
  label(MDK_LABELS.export),
  bytesUpTo(LIMITS.maxWrappedKeyFileBytes, 1),
  bytesOf(AEAD_NONCE_BYTES),
  bytesUpTo(LIMITS.maxMdkExportBytes, 1),
]);

/** @param kek of the password */
export async function sealExport(exported: ExportedInstance, kek: KekProvider, random: RandomBytes): Promise<Bytes> {
  const key = new Redacted(random(AEAD_KEY_BYTES));
  const nonce = random(AEAD_NONCE_BYTES);
  const wrapped = encodeWrappedKey(await kek.wrap(key, CONTEXT));
  const plaintext = encodeContent(exported);
  const sealed = await sealAead(await importAeadKey(reveal(key)), nonce, plaintext, associatedData(wrapped, nonce));
  return encodeCbor([MDK_LABELS.export, wrapped, nonce, sealed]);
}

/**
 * Opens an export.
 *
 * @param kek of the password
 * @throws `wrong_key` for another password; `tampered`, `malformed`, `unsupported` or `wrong_key` for a file that was changed;
 * `configuration` for one that is under no password; `too_large`
 */
export async function openExport(bytes: Bytes, kek: KekProvider): Promise<ExportedInstance> {
  const [, wrapped, nonce, sealed] = decodeAs(file, bytes, "export", { maxBytes: LIMITS.maxMdkExportBytes });
  const key = await kek.unwrap(decodeWrappedKey(wrapped), CONTEXT);
  const plaintext = await openAead(await importAeadKey(reveal(key)), nonce, sealed, associatedData(wrapped, nonce));
  const [, identity, mdks, registrations] = decodeAs(content, plaintext, "exported instance");
  return {
    identity: new Redacted(identity),
    mdks: mdks.map(([version, secret, created, revoked]) => ({
      ...{ version, secret: new Redacted(secret), created, revoked },
    })),
    registrations: registrations.map(([product, root, entrySecret, cover, mdkVersion, registered, shared]) => ({
      ...{ product, root, entrySecret: new Redacted(entrySecret), mdkVersion, registered },
      cover: cover === null ? null : new Redacted(cover),
      sharedKeys: shared.map(([keyId, keyVersion, key]) => ({ keyId, keyVersion, key: new Redacted(key) })),
    })),
  };
}

function associatedData(wrapped: Bytes, nonce: Bytes): Bytes {
  return encodeCbor([MDK_LABELS.export, wrapped, nonce]);
}

function encodeContent({ identity, mdks, registrations }: ExportedInstance): Bytes {
  return encodeCbor([
    MDK_LABELS.exported,
    reveal(identity),
    mdks.map(({ version, secret, created, revoked }) => [version, reveal(secret), created, revoked]),
    registrations.map((r) => [
      ...[r.product, r.root, reveal(r.entrySecret), r.cover === null ? null : reveal(r.cover), r.mdkVersion],
      ...[r.registered, r.sharedKeys.map(({ keyId, keyVersion, key }) => [keyId, keyVersion, reveal(key)])],
    ]),
  ]);
}

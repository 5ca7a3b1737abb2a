/**
 * The one secret of a registry, of one generation. Everything that instances are given derives from it (HMAC-SHA-256 over CBOR):
 *
 *     cover secret     = H(secret, enc(["postern/1/registry-cover"]))
 *     entry secret     = H(secret, enc(["postern/1/registry-entry", instance id]))
 *     key of schema 1  = H(secret, enc(["postern/1/registry-shared", key id, key version]))
 *
 * So the registry beside it holds nothing that opens a release, and there are 32 bytes to keep, whatever the fleet. The file, canonical
 * JSON of mode 0600, replaced whole and never edited:
 *
 *     {"depth":32,"format":"postern/registry/1","key_id":"fleet","key_version":1,"product":"postern","secret":"…"}
 *
 * or with `wrapped` instead of `secret`: a record as the manager keeps one (manager/keys/wrapped_key.ts), under a passphrase.
 */
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { hmacSha256 } from "../../../shared/crypto/hash.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { Fields } from "../../../shared/manifest/fields.ts";
import { writeJson } from "../../../shared/manifest/json.ts";
import { readCanonicalJson } from "../../../shared/manifest/read_json.ts";
import { readBounded } from "../../../manager/files/read_bounded.ts";
import { requirePrivateFile } from "../../../manager/files/permissions.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../../../manager/keys/wrapped_key.ts";
import { REGISTRY_LABELS } from "../labels.ts";

const REGISTRY_FORMAT = "postern/registry/1";
export const REGISTRY_SECRET_BYTES = 32;
const MAX_FILE_BYTES = 16_384;

/** What names a generation of the manifest key. */
export interface KeyGeneration {
  readonly product: string;
  /** Name of the manifest key. */
  readonly keyId: string;
  /** From 1; counts up when the manifest key is rotated. */
  readonly keyVersion: number;
  /** Of the cover's tree. */
  readonly depth: number;
}

/** Asked for only when the secret is under a passphrase. @throws `usage` where there is none */
export type OpenSecretKek = () => Promise<KekProvider>;

/** The secret with what it is for. */
export class RegistrySecret {
  readonly generation: KeyGeneration;
  /** Whether the file needs a passphrase. */
  readonly isWrapped: boolean;
  readonly #bytes: Redacted<Bytes>;

  constructor(generation: KeyGeneration, bytes: Redacted<Bytes>, isWrapped: boolean) {
    this.generation = generation;
    this.isWrapped = isWrapped;
    this.#bytes = bytes;
  }

  cover(): CoverSecret {
    return new CoverSecret(this.#derive(REGISTRY_LABELS.cover), this.generation.depth);
  }

  /** @param instance its id, 16 bytes */
  entrySecret(instance: Bytes): Redacted<Bytes> {
    return new Redacted(this.#derive(REGISTRY_LABELS.entry, instance));
  }

  /** The key of schema 1 of this generation. */
  sharedKey(): Redacted<Bytes> {
    const { keyId, keyVersion } = this.generation;
    return new Redacted(this.#derive(REGISTRY_LABELS.shared, keyId, keyVersion));
  }

  #derive(label: string, ...parts: readonly (Bytes | string | number)[]): Bytes {
    return hmacSha256(reveal(this.#bytes), encodeCbor([label, ...parts]));
  }

  /** The file's bytes. @throws `malformed`, `too_large` for names of another form. @param kek null leaves the secret as it is: whoever reads the file then reads every release */
  async write(kek: KekProvider | null): Promise<Bytes> {
    const { product, keyId, keyVersion, depth } = this.generation;
    const kept = kek === null
      ? { secret: toBase64(reveal(this.#bytes)) }
      : { wrapped: toBase64(encodeWrappedKey(await kek.wrap(this.#bytes, contextOf(this.generation)))) };
    const names = { format: REGISTRY_FORMAT, product, key_id: keyId, key_version: keyVersion, depth };
    const bytes = utf8(writeJson({ ...names, ...kept }));
    parseFile(bytes, "the registry");
    return bytes;
  }
}

/**
 * Reads the file.
 *
 * @throws `not_found`, `storage`; `configuration` if others may read it; `malformed`, `too_large`, `unsupported` for another form;
 * `wrong_key` for another passphrase
 */
export async function readRegistrySecret(
  path: string,
  uid: number | null,
  openKek: OpenSecretKek,
): Promise<RegistrySecret> {
  const file = parseFile(await readBounded(path, MAX_FILE_BYTES, requirePrivateFile(path, uid)), path);
  const { generation, secret, wrapped } = file;
  if (wrapped === undefined) return new RegistrySecret(generation, new Redacted(secret), false);
  const kek = await openKek();
  return new RegistrySecret(generation, await kek.unwrap(decodeWrappedKey(wrapped), contextOf(generation)), true);
}

function parseFile(bytes: Bytes, what: string) {
  const fields = new Fields(readCanonicalJson(bytes, MAX_FILE_BYTES, what), what);
  if (fields.string("format") !== REGISTRY_FORMAT) {
    throw new PosternError("unsupported", `${what} is not of the format ${REGISTRY_FORMAT}`);
  }
  const generation: KeyGeneration = {
    ...{ product: fields.product(), keyId: fields.keyId(), keyVersion: fields.integer("key_version", 1) },
    depth: fields.integer("depth", 1, LIMITS.maxCoverDepth),
  };
  const wrapped = fields.optional("wrapped", () => fields.bytes("wrapped", 1, LIMITS.maxWrappedKeyFileBytes));
  const secret = wrapped === undefined ? fields.bytes("secret", REGISTRY_SECRET_BYTES) : new Uint8Array(0);
  fields.end();
  return { generation, wrapped, secret };
}

/** A record is for one generation: that of another one does not open in its place. */
function contextOf({ product, keyId, keyVersion, depth }: KeyGeneration): Bytes {
  return encodeCbor([REGISTRY_LABELS.secret, product, keyId, keyVersion, depth]);
}

/**
 * For whom a manifest is encrypted: what encryption needs of a publisher's registry, and the two files of a registry's folder that
 * say it. Both are canonical JSON (shared/spec/manifest.md), of mode 0600, replaced whole and never edited.
 *
 *     recipients.json    {"cover":{"depth":32,"revoked":[12,…],"secret":"…"},"format":"postern/recipients/1","key_version":1,
 *                         "product":"postern"}
 *                        `revoked`: the leaf of everybody who was ever revoked, ascending; `secret`: 32 bytes, base64
 *     recipients.jsonl   a line for each instance that is not revoked, each ended by LF, in any order:
 *                        {"entry_secret":"…","id":"…","mdk_version":1,"x25519":"…","xwing":"…"}
 *                        32 bytes, 16 bytes in hex, the version of its MDK, its public keys (32 and 1216 bytes); base64
 *
 * The second is read only as far as it is needed: schema 3 asks for no instance, but for whether there are more than a few.
 */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toBase64 } from "../../shared/bytes/encoding.ts";
import { CoverSecret } from "../../shared/cover/secret.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { XWING_PUBLIC_KEY_BYTES } from "../../shared/crypto/xwing.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { Fields } from "../../shared/manifest/fields.ts";
import { writeJson } from "../../shared/manifest/json.ts";
import { readCanonicalJson } from "../../shared/manifest/read_json.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { readLines } from "./read_lines.ts";

export const RECIPIENTS_FORMAT = "postern/recipients/1";
export const RECIPIENTS_FILE = "recipients.json";
export const INSTANCES_FILE = "recipients.jsonl";

const ID = /^[0-9a-f]{32}$/;
/** 65,536 revoked leaves of ten digits, and what is around them. */
const MAX_FILE_BYTES = 1_048_576;
const MAX_LINE_BYTES = 4_096;
/** Bits of a mode that are the group's and everybody's. */
const FOR_OTHERS = 0o077;
const KEY_BYTES = 32;
const X25519_BYTES = 32;
const MAX_REVOKED = 65_536;

/** An instance that is registered and not revoked. */
export interface KnownInstance {
  /** Hex. */
  readonly id: string;
  readonly entrySecret: Redacted<Bytes>;
  readonly mdkVersion: number;
  readonly xwing: Bytes;
  readonly x25519: Bytes;
}

/** The publisher's manifest key of one generation. */
export interface RecipientSource {
  readonly product: string;
  /** Counts up when the manifest key is rotated. */
  readonly keyVersion: number;
  readonly secret: CoverSecret;
  /** Leaves, ascending. */
  readonly revoked: readonly number[];
  /** One after the other, for as long as they are asked for. @throws `malformed`, `not_found`, `storage` */
  instances(): AsyncIterable<KnownInstance>;
}

/**
 * Opens a registry's folder for encryption.
 *
 * @throws `not_found`, `storage`; `configuration` if others may read the secret; `malformed`, `too_large`, `unsupported` for files that
 * are not of their form
 */
export async function openRecipients(folder: string): Promise<RecipientSource> {
  const path = join(folder, RECIPIENTS_FILE);
  const bytes = await readBounded(path, MAX_FILE_BYTES, (info) => requirePrivate(path, info));
  const fields = new Fields(readCanonicalJson(bytes, MAX_FILE_BYTES, path), path);
  if (fields.string("format") !== RECIPIENTS_FORMAT) {
    throw new PosternError("unsupported", `${path} is not of the format ${RECIPIENTS_FORMAT}`);
  }
  const cover = fields.fields("cover");
  const depth = cover.integer("depth", 1, LIMITS.maxCoverDepth);
  const revoked = cover.list("revoked", 0, MAX_REVOKED).map((leaf) => {
    if (typeof leaf !== "number") throw cover.wrong("numbers of leaves as revoked");
    return leaf;
  });
  const source = {
    ...{ product: fields.product(), keyVersion: fields.integer("key_version", 1), revoked },
    secret: new CoverSecret(cover.bytes("secret", KEY_BYTES), depth),
    instances: () => readInstances(join(folder, INSTANCES_FILE)),
  };
  cover.end();
  fields.end();
  return source;
}

/** Whoever has the secret reads every release. */
function requirePrivate(path: string, { mode }: Deno.FileInfo): void {
  if (mode === null || Deno.build.os === "windows" || (mode & FOR_OTHERS) === 0) return;
  throw new PosternError("configuration", `${path} can be read by others on this machine: chmod 600 it`);
}

async function* readInstances(path: string): AsyncGenerator<KnownInstance> {
  for await (const line of readLines(path, MAX_LINE_BYTES)) {
    const fields = new Fields(readCanonicalJson(line, MAX_LINE_BYTES, `a line of ${path}`), `a line of ${path}`);
    const instance = {
      id: fields.matching("id", ID),
      entrySecret: new Redacted(fields.bytes("entry_secret", KEY_BYTES)),
      mdkVersion: fields.integer("mdk_version", 1),
      x25519: fields.bytes("x25519", X25519_BYTES),
      xwing: fields.bytes("xwing", XWING_PUBLIC_KEY_BYTES),
    };
    fields.end();
    yield instance;
  }
}

/** The bytes of the first file. */
export function writeRecipients(source: Omit<RecipientSource, "instances">): Bytes {
  const { product, keyVersion, secret, revoked } = source;
  const cover = { depth: secret.depth, revoked: [...revoked], secret: toBase64(secret.revealBytes()) };
  return utf8(writeJson({ format: RECIPIENTS_FORMAT, product, key_version: keyVersion, cover }));
}

/** A line of the second file, its end included. */
export function writeInstanceLine({ id, entrySecret, mdkVersion, x25519, xwing }: KnownInstance): string {
  const keys = { x25519: toBase64(x25519), xwing: toBase64(xwing) };
  return `${writeJson({ id, entry_secret: toBase64(reveal(entrySecret)), mdk_version: mdkVersion, ...keys })}\n`;
}

/** The encrypted manifest as it lies in public (shared/spec/manifest.md, "The envelope"): three schemas, taken apart. */
import { type Bytes, EMPTY } from "../bytes/bytes.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../crypto/aead.ts";
import { SHA256_BYTES } from "../crypto/hash.ts";
import { X25519_BYTES } from "../crypto/x25519.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Fields } from "./fields.ts";
import { readFacts, type ReleaseFacts } from "./manifest.ts";
import { readJson } from "./read_json.ts";
import { cutTable, RecipientTable } from "./recipient_table.ts";

export const ALGORITHM = "AES-256-GCM";
export const NONCE_BYTES = 16;

/** How schema 2 wraps the MEK. */
export type Wrap = "xwing" | "x25519";

/** Which key opens it. */
export interface KeyName {
  readonly keyId: string;
  readonly keyVersion: number;
}

/** AES-256-GCM: what came out. */
export interface Blob {
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
  readonly tag: Bytes;
}

/** The seed's format: no commitment, no product, no expiry (spec: MAN-08). */
export interface Envelope1 extends KeyName {
  readonly schema: 1;
  readonly version: string;
  readonly tagName: string;
  readonly isCritical: boolean;
  readonly blob: Blob;
}

/** What schemas 2 and 3 have in the clear beside what is encrypted: `public` of the specification. */
export interface PublicPart extends ReleaseFacts, KeyName {
  readonly schema: 2 | 3;
  /** 16 bytes. */
  readonly nonce: Bytes;
  /** With schema 2 only. */
  readonly wrap?: Wrap;
  /** With the wrap `x25519` only: 32 bytes. */
  readonly ephemeral?: Bytes;
}

/** What the MEK and the manifest are committed to with: 32 bytes each. */
export interface Commitments {
  readonly keyCommitment: Bytes;
  readonly manifestCommitment: Bytes;
}

/** One wrapped MEK an instance. */
export interface Envelope2 extends PublicPart, Commitments {
  readonly schema: 2;
  readonly wrap: Wrap;
  readonly blob: Blob;
  readonly recipients: RecipientTable;
}

/** The MEK for everybody but the revoked. */
export interface Envelope3 extends PublicPart, Commitments {
  readonly schema: 3;
  readonly blob: Blob;
  readonly cover: Bytes;
}

export type Envelope = Envelope1 | Envelope2 | Envelope3;

/**
 * Takes an envelope apart (spec: MAN-02, MAN-07). It says nothing about who made it.
 *
 * @throws `too_large`; `unsupported` for another schema or algorithm; `malformed`
 */
export function parseEnvelope(bytes: Bytes): Envelope {
  if (bytes.length > LIMITS.maxEnvelopeBytes) {
    throw new PosternError("too_large", `the envelope has more than ${LIMITS.maxEnvelopeBytes} bytes`);
  }
  const { rest, table } = cutTable(bytes);
  const { value, isCanonical } = readJson(rest, LIMITS.maxEnvelopeBytes, "the envelope");
  const fields = new Fields(value, "the envelope");
  const schema = fields.integer("schema_version", 0);
  if (schema !== 1 && schema !== 2 && schema !== 3) {
    throw new PosternError("unsupported", `expected an envelope of schema 1, 2 or 3, found schema ${schema}`);
  }
  if (schema !== 1 && !isCanonical) throw fields.wrong("the one spelling of canonical JSON (RFC 8785)");
  const algorithm = fields.string("encryption_algorithm");
  if (algorithm !== ALGORITHM) throw new PosternError("unsupported", `expected ${ALGORITHM}, found another algorithm`);
  const key = readKeyName(fields);
  const blob = readBlob(fields, key);
  const envelope = schema === 1 ? readSchema1(fields, key, blob) : readCommitted(fields, { schema, key, blob, table });
  fields.end();
  return envelope;
}

function readKeyName(fields: Fields): KeyName {
  return { keyId: fields.keyId(), keyVersion: fields.integer("key_version", 1) };
}

function readBlob(outer: Fields, key: KeyName): Blob {
  const fields = outer.fields("encrypted_blob");
  const inner = readKeyName(fields);
  if (inner.keyId !== key.keyId || inner.keyVersion !== key.keyVersion) {
    throw fields.wrong("the key of the envelope itself");
  }
  const blob = {
    iv: fields.bytes("iv", AEAD_NONCE_BYTES),
    ciphertext: fields.bytes("ciphertext", 1, LIMITS.maxEnvelopeBytes),
    tag: fields.bytes("tag", AEAD_TAG_BYTES),
  };
  fields.end();
  return blob;
}

function readSchema1(fields: Fields, key: KeyName, blob: Blob): Envelope1 {
  const facts = { version: fields.version(), tagName: fields.tagName(), isCritical: fields.boolean("is_critical") };
  return { schema: 1, ...key, ...facts, blob };
}

interface Parts {
  readonly schema: 2 | 3;
  readonly key: KeyName;
  readonly blob: Blob;
  readonly table: Bytes | null;
}

function readCommitted(fields: Fields, { schema, key, blob, table }: Parts): Envelope2 | Envelope3 {
  const committed = {
    ...{ ...readFacts(fields, LIMITS.maxReleaseLifeMillis), ...key, blob },
    nonce: fields.bytes("nonce", NONCE_BYTES),
    keyCommitment: fields.bytes("key_commitment", SHA256_BYTES),
    manifestCommitment: fields.bytes("manifest_commitment", SHA256_BYTES),
  };
  if (schema === 3) return { schema, ...committed, cover: fields.bytes("cover", 1, LIMITS.maxCoverHeaderBytes) };
  const wrap = fields.string("wrap");
  if (wrap !== "xwing" && wrap !== "x25519") throw new PosternError("unsupported", "expected the wrap xwing or x25519");
  const ephemeral = wrap === "x25519" ? { ephemeral: fields.bytes("ephemeral", X25519_BYTES) } : {};
  return { schema, ...committed, wrap, ...ephemeral, recipients: readTable(fields, table, wrap) };
}

/** The table was cut out, so an empty list stands in its place; only this member of an envelope is a list. */
function readTable(fields: Fields, table: Bytes | null, wrap: Wrap): RecipientTable {
  fields.list("encrypted_keys", 0, 0);
  return new RecipientTable(table ?? EMPTY, wrap);
}

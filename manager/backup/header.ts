/** What stands at the beginning of a backup: whose it is, and for whom its key is wrapped (shared/spec/backup.md). */
import * as v from "valibot";
import { type Bytes, concat, equalBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { importAeadKey } from "../../shared/crypto/aead.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { type Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import { bytesOf, bytesUpTo, decodeAs, label } from "../../shared/protocol/shapes.ts";
import type { ReadBytes } from "./chunks.ts";

/** Who can open a backup, in the order in which a header names them. */
const RECIPIENT_KINDS = ["recovery", "passphrase"] as const;
export type RecipientKind = (typeof RECIPIENT_KINDS)[number];

export interface Recipient {
  readonly kind: RecipientKind;
  /** The file key, wrapped. */
  readonly wrapped: Bytes;
}

export interface BackupHeader {
  readonly owner: Bytes;
  readonly id: Bytes;
  readonly recipients: readonly Recipient[];
}

/** A header that was read, with its bytes, and the check value behind it. */
export interface ReadHeader extends BackupHeader {
  readonly bytes: Bytes;
  readonly check: Bytes;
}

const MAGIC_TEXT = utf8("postern-backup\0");
const VERSION = 1;
const CHECK_BYTES = 32;

const headerTuple = v.strictTuple([
  label(LABELS.backup),
  bytesOf(32),
  bytesOf(16),
  v.pipe(
    v.array(v.strictTuple([v.picklist(RECIPIENT_KINDS), bytesUpTo(LIMITS.maxWrappedKeyFileBytes, 1)])),
    v.minLength(1),
    v.maxLength(RECIPIENT_KINDS.length),
  ),
]);

export function encodeHeader({ owner, id, recipients }: BackupHeader): Bytes {
  return encodeCbor([LABELS.backup, owner, id, recipients.map(({ kind, wrapped }) => [kind, wrapped])]);
}

/** Everything before the chunks. */
export function fileBeginning(header: Bytes, check: Bytes): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, header.length);
  return concat(MAGIC_TEXT, new Uint8Array([VERSION]), length, header, check);
}

/**
 * Reads everything before the chunks; nothing of it is believed yet.
 *
 * @throws `malformed` for what is no backup, `unsupported` for one of another version, `too_large`
 */
// spec: BACKUP-01
export async function readHeader(read: ReadBytes): Promise<ReadHeader> {
  const magic = await read(MAGIC_TEXT.length + 1);
  if (!equalBytes(magic.slice(0, MAGIC_TEXT.length), MAGIC_TEXT)) {
    throw new PosternError("malformed", "This file is no backup of Postern's");
  }
  if (magic[MAGIC_TEXT.length] !== VERSION) {
    throw new PosternError("unsupported", "This backup was made by another version of Postern: use that one");
  }
  const length = await read(4);
  if (length.length < 4) throw cutOff();
  const size = new DataView(length.buffer, length.byteOffset, 4).getUint32(0);
  if (size > LIMITS.maxBackupHeaderBytes) {
    throw new PosternError("too_large", "The beginning of this backup is not what it must be: it was changed");
  }
  const bytes = await read(size);
  const check = await read(CHECK_BYTES);
  if (bytes.length < size || check.length < CHECK_BYTES) throw cutOff();
  const [, owner, id, found] = decodeAs(headerTuple, bytes, "beginning of the backup");
  const recipients = found.map(([kind, wrapped]) => ({ kind, wrapped }));
  if (recipients.length === 2 && recipients[0]?.kind !== RECIPIENT_KINDS[0] || isTwice(recipients)) {
    throw new PosternError("malformed", "The backup names its recipients twice, or out of order");
  }
  return { owner, id, recipients, bytes, check };
}

function isTwice([first, second]: readonly Recipient[]): boolean {
  return second !== undefined && first?.kind === second.kind;
}

function cutOff(): PosternError {
  return new PosternError("malformed", "This backup was cut off at its beginning");
}

/** The key of the chunks, and the value that tells whether it is the right one. */
export async function chunkKey(header: Bytes, fileKey: Redacted<Bytes>): Promise<{ key: CryptoKey; check: Bytes }> {
  const prk = hkdfExtract(sha256(header), reveal(fileKey));
  const expand = (purpose: string) => hkdfExpand(prk, encodeCbor([LABELS.backupKey, purpose]), 32);
  return { key: await importAeadKey(expand("chunks")), check: expand("check") };
}

/** Keys of one epoch, derived from its sym key (shared/spec/keys.md). */
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { importAeadKey } from "../crypto/aead.ts";
import {
  type HeadKey,
  type InboxCopyKey,
  type RowEncryptionKey,
  type RowMacKey,
  secretKey,
  type SymKey,
  type TokenKey,
} from "../crypto/brand.ts";
import { constantTimeEqual } from "../crypto/equal.ts";
import { sha256 } from "../crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf.ts";
import { PosternError } from "../errors.ts";
import { LABELS, PURPOSES } from "./labels.ts";
import { TABLE_NAMES, type TableNumber, TABLES } from "./tables.ts";

/** What an epoch belongs to; part of every derivation, so that keys of two owners or lives never meet. */
export interface EpochContext {
  readonly owner: Bytes;
  readonly incarnation: Bytes;
  readonly epoch: number;
}

/** The keys of one table in one epoch. */
export interface TableKeys {
  readonly encryption: RowEncryptionKey;
  readonly mac: RowMacKey;
  readonly token: TokenKey;
}

/** All keys of one epoch. */
export interface EpochKeys extends EpochContext {
  /** Public value that the head publishes. */
  readonly commitment: Bytes;
  readonly tables: Readonly<Record<TableNumber, TableKeys>>;
  readonly head: HeadKey;
  readonly inboxCopy: InboxCopyKey;
}

/**
 * Derives the keys of an epoch from its sym key of 32 bytes. What HPKE gave a device is only a candidate until then (spec: WRAP-03).
 *
 * @param expectedCommitment the head's; a device passes it, and nothing is derived unless it fits (spec: KEY-03)
 * @throws `tampered` when the commitment is another
 */
export async function deriveEpochKeys(
  symKey: SymKey,
  context: EpochContext,
  expectedCommitment: Bytes | null,
): Promise<EpochKeys> {
  const prk = extract(symKey, context);
  const commitment = expand(prk, PURPOSES.commitment, 0);
  if (expectedCommitment !== null && !constantTimeEqual(commitment, expectedCommitment)) {
    throw new PosternError("tampered", "The unwrapped sym key is not the one that the head commits to");
  }
  const entries = await Promise.all(TABLE_NAMES.map(async (name) => {
    const table = TABLES[name];
    return [table, {
      encryption: await importAeadKey(expand(prk, PURPOSES.rowEncryption, table)) as RowEncryptionKey,
      mac: secretKey<"RowMacKey">(expand(prk, PURPOSES.rowMac, table)),
      token: secretKey<"TokenKey">(expand(prk, PURPOSES.token, table)),
    }] as const;
  }));
  return {
    ...context,
    commitment,
    tables: Object.fromEntries(entries) as unknown as Record<TableNumber, TableKeys>,
    head: await importAeadKey(expand(prk, PURPOSES.head, 0)) as HeadKey,
    inboxCopy: await importAeadKey(expand(prk, PURPOSES.inboxCopy, 0)) as InboxCopyKey,
  };
}

function extract(symKey: SymKey, { owner, incarnation, epoch }: EpochContext): Bytes {
  return hkdfExtract(sha256(encodeCbor([LABELS.epoch, owner, incarnation, epoch])), symKey);
}

function expand(prk: Bytes, purpose: string, table: number): Bytes {
  return hkdfExpand(prk, encodeCbor([LABELS.key, purpose, table]), 32);
}

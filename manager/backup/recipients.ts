/** Who can open a backup: the holder of the recovery key, or of a passphrase (shared/spec/backup.md). */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import { openHpke, sealHpke } from "../../shared/crypto/hpke.ts";
import { importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import { bytesUpTo, decodeAs } from "../../shared/protocol/shapes.ts";
import { type Argon2Cost, DEFAULT_ARGON2_COST, passphraseKek } from "../keys/passphrase.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../keys/wrapped_key.ts";
import { type BackupHeader, chunkKey, type ReadHeader, type Recipient, type RecipientKind } from "./header.ts";

/** For whom a backup is made; at least one. */
export interface BackupRecipients {
  /** X-Wing public key of the recovery key, or null. */
  readonly recoveryKey: Bytes | null;
  readonly passphrase: Redacted<string> | null;
  readonly cost?: Argon2Cost;
}

/** What a backup is opened with: the recovery key's seed, or a passphrase. */
export type BackupSecret =
  | { readonly kind: "recovery"; readonly seed: Redacted<Bytes> }
  | { readonly kind: "passphrase"; readonly passphrase: Redacted<string> };

const sealedTuple = v.strictTuple([bytesUpTo(LIMITS.maxEncapsulatedBytes), bytesUpTo(LIMITS.maxWrappedKeyBytes)]);

function contextOf({ owner, id }: Pick<BackupHeader, "owner" | "id">): Bytes {
  return encodeCbor([LABELS.backupWrap, owner, id]);
}

/** Wraps the file key for everybody who shall open the backup. @throws `usage` when that is nobody */
export async function wrapFileKey(
  backup: Pick<BackupHeader, "owner" | "id">,
  fileKey: Redacted<Bytes>,
  { recoveryKey, passphrase, cost = DEFAULT_ARGON2_COST }: BackupRecipients,
  random: RandomBytes,
): Promise<readonly Recipient[]> {
  const context = contextOf(backup);
  const recipients: Recipient[] = [];
  if (recoveryKey !== null) {
    const { encapsulated, ciphertext } = await sealHpke("xwing", recoveryKey, context, reveal(fileKey));
    recipients.push({ kind: "recovery", wrapped: encodeCbor([encapsulated, ciphertext]) });
  }
  if (passphrase !== null) {
    const wrapped = await passphraseKek(passphrase, random, cost).wrap(fileKey, context);
    recipients.push({ kind: "passphrase", wrapped: encodeWrappedKey(wrapped) });
  }
  if (recipients.length === 0) throw new PosternError("usage", "Nobody could open this backup");
  return recipients;
}

/**
 * Opens the key of a backup's chunks.
 *
 * @throws `wrong_key` for another secret than it was made for, or a file whose beginning was changed; `tampered`
 */
// spec: BACKUP-02
export async function openBackupKey(header: ReadHeader, secret: BackupSecret, random: RandomBytes): Promise<CryptoKey> {
  const { key, check } = await chunkKey(header.bytes, await unwrap(header, secret, random));
  if (constantTimeEqual(check, header.check)) return key;
  throw new PosternError("tampered", "The beginning of this backup was changed: take another copy of it");
}

async function unwrap(header: ReadHeader, secret: BackupSecret, random: RandomBytes): Promise<Redacted<Bytes>> {
  const recipient = header.recipients.find(({ kind }) => kind === secret.kind);
  if (recipient === undefined) {
    const others = header.recipients.map(({ kind }) => NAMES[kind]).join(" or ");
    throw new PosternError("wrong_key", `This backup was made for ${others}, not for ${NAMES[secret.kind]}`);
  }
  const context = contextOf(header);
  if (secret.kind === "passphrase") {
    return await passphraseKek(secret.passphrase, random).unwrap(decodeWrappedKey(recipient.wrapped), context);
  }
  const [encapsulated, ciphertext] = decodeAs(sealedTuple, recipient.wrapped, "wrapped key of the backup");
  const seed = await importHpkeKey("xwing", reveal(secret.seed));
  try {
    return new Redacted(await openHpke("xwing", seed, context, { encapsulated, ciphertext }));
  } catch (cause) {
    if (!isPosternError(cause, "tampered")) throw cause;
    const message = "This is not the recovery key that the backup was made for, or the file was changed";
    throw new PosternError("wrong_key", message, { cause });
  }
}

const NAMES: Readonly<Record<RecipientKind, string>> = { recovery: "the recovery key", passphrase: "a passphrase" };

/** The file with the wrapped key of the database, `database.key`: making it, opening it, and changing what wraps it. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { constantTimeEqual } from "../../shared/crypto/equal.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { createExclusive, writeFileDurably } from "../files/durable.ts";
import { readBounded } from "../files/read_bounded.ts";
import type { KekProvider } from "./provider.ts";
import { decodeWrappedKey, encodeWrappedKey, WRAPPED_KEY_BYTES, type WrappedKey } from "./wrapped_key.ts";

/**
 * Makes a new random key and stores it wrapped.
 *
 * @returns the key, only after the file is safe on the disk: nothing may be encrypted under a key that a power cut could lose
 * @throws `conflict` if the file exists: its key protects a database, and replacing it would lose that
 */
export async function createStoredKey(
  path: string,
  kek: KekProvider,
  context: Bytes,
  random: RandomBytes,
): Promise<Redacted<Bytes>> {
  const key = new Redacted(random(WRAPPED_KEY_BYTES));
  await createExclusive(path, await wrapAndProve(key, kek, context));
  return key;
}

/**
 * Reads the record, without opening it; its kind says which provider to ask for.
 *
 * @throws `not_found`, `storage`, `malformed`, `unsupported`, `too_large`
 */
export async function readStoredKey(path: string): Promise<WrappedKey> {
  return decodeWrappedKey(await readBounded(path, LIMITS.maxWrappedKeyFileBytes));
}

/** Where and for what a key is stored, and from which KEK to which it goes. */
export interface KekChange {
  readonly path: string;
  readonly context: Bytes;
  readonly from: KekProvider;
  readonly to: KekProvider;
}

/**
 * Unwraps the stored key by one KEK and stores it wrapped by another, in one step: after a crash at any instant the file opens
 * with the old or with the new one. The caller must hold the data folder's lock.
 *
 * The key itself stays, so whoever had the old file and the old KEK can still open old copies of the database: after a theft,
 * make a new database from a backup instead.
 *
 * @throws what `from.unwrap` throws; then nothing has changed
 */
export async function changeKek({ path, context, from, to }: KekChange): Promise<void> {
  const key = await from.unwrap(await readStoredKey(path), context);
  await writeFileDurably(path, await wrapAndProve(key, to, context));
}

/** The encoded record, after it was opened again: one that cannot be opened must not replace one that can. */
async function wrapAndProve(key: Redacted<Bytes>, kek: KekProvider, context: Bytes): Promise<Bytes> {
  const encoded = encodeWrappedKey(await kek.wrap(key, context));
  const opened = await kek.unwrap(decodeWrappedKey(encoded), context);
  if (constantTimeEqual(reveal(opened), reveal(key))) return encoded;
  throw new PosternError("wrong_key", `${kek.describe()} does not give back what it wrapped: nothing was changed`);
}

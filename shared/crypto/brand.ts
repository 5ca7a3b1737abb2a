/**
 * Names for roles that bytes and keys play, known to the compiler alone: a MAC key does not typecheck where an encryption
 * key is expected, though both are 32 bytes.
 */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";

declare const role: unique symbol;

/** A `T` in the role `Name`. It is still a `T` wherever a `T` is asked for. */
export type Brand<T, Name extends string> = T & { readonly [role]: Name };

/** Length in bytes of every symmetric key. */
export const SYMMETRIC_KEY_BYTES = 32;

/** 32 secret bytes in the role `Name`. */
export type SecretKey<Name extends string> = Brand<Bytes, Name>;

/** The secret of one epoch, from which its other keys are derived. */
export type SymKey = SecretKey<"SymKey">;
/** Key of the HMAC over stored rows. */
export type RowMacKey = SecretKey<"RowMacKey">;
/** Key of the HMAC that makes index tokens. */
export type TokenKey = SecretKey<"TokenKey">;
/** Key of the HMAC over a session's messages in one direction. */
export type SessionMacKey = SecretKey<"SessionMacKey">;
/** AES-256-GCM key of rows. */
export type RowEncryptionKey = Brand<CryptoKey, "RowEncryptionKey">;
/** AES-256-GCM key of the head's sealed part. */
export type HeadKey = Brand<CryptoKey, "HeadKey">;
/** AES-256-GCM key of the copies of submissions. */
export type InboxCopyKey = Brand<CryptoKey, "InboxCopyKey">;

/**
 * Takes bytes as a key of this role; the one place where bytes become one.
 *
 * @throws `unsupported` unless they are 32.
 */
export function secretKey<Name extends string>(bytes: Bytes): SecretKey<Name> {
  if (bytes.length !== SYMMETRIC_KEY_BYTES) {
    throw new PosternError("unsupported", `expected a key of ${SYMMETRIC_KEY_BYTES} bytes, found ${bytes.length}`);
  }
  return bytes as SecretKey<Name>;
}

/** Checking a MAC: in constant time, and in one length only. */
import { PosternError } from "../errors.ts";
import { constantTimeEqual } from "./equal.ts";
import { hmacSha256, SHA256_BYTES } from "./hash.ts";

/**
 * Whether `tag` is the HMAC-SHA-256 of the message.
 *
 * @throws `unsupported` unless the tag has 32 bytes: a truncated one is easier to guess, and nothing of Postern writes one.
 */
export function verifyHmacSha256(key: Uint8Array, message: Uint8Array, tag: Uint8Array): boolean {
  if (tag.length !== SHA256_BYTES) {
    throw new PosternError("unsupported", `expected a MAC of ${SHA256_BYTES} bytes, found ${tag.length}`);
  }
  return constantTimeEqual(hmacSha256(key, message), tag);
}

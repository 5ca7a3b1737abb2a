/** An edge's public key as text. The prefix keeps it from being taken for the secret, which has the same form. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { fromBase64Url, toBase64Url } from "../../../shared/bytes/encoding.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";

const PREFIX = "postern-edge:";
const KEY_BYTES = 32;

export function writeEdgeKey(publicKey: Bytes): string {
  return PREFIX + toBase64Url(publicKey);
}

/** @throws `usage`; the text stays out of the message, because it may be the secret */
export function readEdgeKey(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) {
    throw new PosternError("usage", `An edge's public key starts with ${PREFIX}; see: postern edge keygen`);
  }
  try {
    const key = fromBase64Url(trimmed.slice(PREFIX.length));
    if (key.length === KEY_BYTES) return key;
  } catch (error) {
    if (!isPosternError(error, "malformed")) throw error;
  }
  throw new PosternError(
    "usage",
    `An edge's public key has 43 characters after ${PREFIX}; this one was cut or changed`,
  );
}

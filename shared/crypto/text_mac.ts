/** The hashes of signed HTTP messages: of texts, and as base64 texts. */
import { toBase64 } from "../bytes/encoding.ts";
import { hmacSha256, sha256 } from "./hash.ts";

/** HMAC-SHA-256 of a text in UTF-8, in base64. */
export function hmacSha256Text(key: Uint8Array, text: string): string {
  return toBase64(hmacSha256(key, text));
}

/** SHA-256 in base64. */
export function sha256Base64(bytes: Uint8Array): string {
  return toBase64(sha256(bytes));
}

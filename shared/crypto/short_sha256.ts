/**
 * SHA-256 of short inputs, one after the other: what trees, tokens and MACs consist of. Setting a hasher back to its start takes half
 * the time of making a new one (measured in Deno 2.9 with 73 bytes: 0.8 against 1.7 microseconds).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes/bytes.ts";

const start = sha256.create();
const hasher = sha256.create();

/** SHA-256 of up to a few hundred bytes, in up to three pieces; longer inputs are faster with `sha256` of `hash.ts`. */
export function shortSha256(bytes: Uint8Array, second?: Uint8Array, third?: Uint8Array): Bytes {
  start._cloneInto(hasher);
  hasher.update(bytes);
  if (second !== undefined) hasher.update(second);
  if (third !== undefined) hasher.update(third);
  return hasher.digest();
}

/**
 * SHA-256 of short inputs, one after the other: what a tree consists of. Setting a hasher back to its start takes half the
 * time of making a new one (measured in Deno 2.9 with 73 bytes: 0.8 against 1.7 microseconds).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes/bytes.ts";

const start = sha256.create();
const hasher = sha256.create();

/** SHA-256 of at most a few hundred bytes; longer inputs are faster with `sha256` of `shared/crypto/hash.ts`. */
export function shortSha256(bytes: Uint8Array): Bytes {
  start._cloneInto(hasher);
  return hasher.update(bytes).digest();
}

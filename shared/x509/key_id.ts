import type { Bytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/hash.ts";
import { DerReader, readOctetBits, readWhole, TAG } from "../der/read.ts";

/** RFC 7093 section 2, method 1. */
const KEY_ID_BYTES = 20;

/** The identifier of a key that Postern writes into certificates. @param spki SubjectPublicKeyInfo in DER */
export function keyId(spki: Bytes): Bytes {
  const fields = new DerReader(readWhole(spki, TAG.sequence, "public key"), "public key");
  fields.next();
  return sha256(readOctetBits(fields.expect(TAG.bitString, "public key").content, "public key")).slice(0, KEY_ID_BYTES);
}

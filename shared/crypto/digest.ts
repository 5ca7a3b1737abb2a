/** The hashes of signatures: SHA-256, SHA-384 and SHA-512 (FIPS 180-4), and no other. */
import type { Bytes } from "../bytes/bytes.ts";
import { sha256 } from "./hash.ts";
import { nativeCrypto, type NativeHashName } from "./native.ts";
import type { Eventually } from "./eventually.ts";

/** A hash, under WebCrypto's name. */
export type Hash = "SHA-256" | "SHA-384" | "SHA-512";

/** Bytes of a digest. */
export const HASH_BYTES: Readonly<Record<Hash, number>> = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

/** Object identifiers (RFC 5754 section 2), dotted. */
export const HASH_OID: Readonly<Record<Hash, string>> = {
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
  "SHA-512": "2.16.840.1.101.3.4.2.3",
};

const BY_OID = new Map(Object.entries(HASH_OID).map(([hash, oid]) => [oid, hash as Hash]));
const NATIVE: Readonly<Record<Hash, NativeHashName>> = {
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

/** The hash of an object identifier, undefined for any other, SHA-1 and MD5 among them. */
export function hashOfOid(oid: string): Hash | undefined {
  return BY_OID.get(oid);
}

/** The digest of all of the bytes. */
export function digest(hash: Hash, bytes: Bytes): Eventually<Bytes> {
  if (hash === "SHA-256") return sha256(bytes);
  if (nativeCrypto !== undefined) {
    return new Uint8Array(nativeCrypto.createHash(NATIVE[hash]).update(bytes).digest());
  }
  return crypto.subtle.digest(hash, bytes).then((buffer) => new Uint8Array(buffer));
}

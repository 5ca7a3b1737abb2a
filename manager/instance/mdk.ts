/**
 * The keys of one version of the MDK, from its 32 bytes (shared/spec/registration.md):
 *
 *     prk    = HKDF-Extract(salt = SHA-256(enc(["postern/1/mdk"])), IKM = the 32 bytes)
 *     xwing  = HKDF-Expand(prk, enc(["postern/1/mdk", "xwing"]), 32), the seed of an X-Wing key
 *     x25519 = HKDF-Expand(prk, enc(["postern/1/mdk", "x25519"]), 32), an X25519 private key
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { type HpkePrivateKey, importHpkeKey } from "../../shared/crypto/hpke_keys.ts";
import { type Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { importX25519, type X25519KeyPair } from "../../shared/crypto/x25519.ts";
import { PosternError } from "../../shared/errors.ts";
import { MDK_LABELS } from "../keys/labels.ts";

export const MDK_BYTES = 32;

/** What opens releases: one key for each kind of wrap. */
export interface MdkPrivateKeys {
  readonly xwing: HpkePrivateKey;
  readonly x25519: X25519KeyPair;
}

/** @throws `usage` unless it has 32 bytes */
export async function deriveMdk(secret: Redacted<Bytes>): Promise<MdkPrivateKeys> {
  // spec: REG-02
  const inputKey = reveal(secret);
  if (inputKey.length !== MDK_BYTES) throw new PosternError("usage", `an MDK has ${MDK_BYTES} bytes`);
  const pseudorandomKey = hkdfExtract(sha256(encodeCbor([MDK_LABELS.mdk])), inputKey);
  const expand = (suite: string) => hkdfExpand(pseudorandomKey, encodeCbor([MDK_LABELS.mdk, suite]), 32);
  return {
    xwing: await importHpkeKey("xwing", expand("xwing")),
    x25519: await importX25519(expand("x25519")),
  };
}

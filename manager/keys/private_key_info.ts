/** PrivateKeyInfo (PKCS#8, RFC 5958): what kind of key it holds, and X-Wing seeds in it. */
import { type Bytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { XWING_SEED_BYTES } from "../../shared/crypto/xwing.ts";
import { PosternError } from "../../shared/errors.ts";
import { readAlgorithm } from "../../shared/der/algorithm.ts";
import { DerReader, readOid, readSmallInteger, readWhole, TAG } from "../../shared/der/read.ts";
import { element, oid, sequence, unsigned } from "../../shared/der/write.ts";

/** Kinds of private keys that Postern keeps. */
export type PrivateKeyKind = "Ed25519" | "P-256" | "P-384" | "P-521" | "RSA" | "X-Wing";

/** RFC 8410, RFC 8017, and draft-connolly-cfrg-xwing-kem-10 section 5.7 (id-XWing). */
const ALGORITHMS: Readonly<Record<string, PrivateKeyKind>> = {
  "1.3.101.112": "Ed25519",
  "1.2.840.113549.1.1.1": "RSA",
  "1.3.6.1.4.1.62253.25722": "X-Wing",
};
const XWING = "1.3.6.1.4.1.62253.25722";
const EC = "1.2.840.10045.2.1";
/** RFC 5480 section 2.1.1.1. */
const CURVES: Readonly<Record<string, PrivateKeyKind>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

const WHAT = "private key";
const MAX_VERSION = 1;

/**
 * The kind of key in a PrivateKeyInfo, and the content of its OCTET STRING.
 *
 * @throws `malformed`; `unsupported` for a kind or curve that Postern does not use
 */
export function readPrivateKeyInfo(der: Bytes): { kind: PrivateKeyKind; privateKey: Bytes } {
  const reader = new DerReader(readWhole(der, TAG.sequence, WHAT), WHAT);
  const version = readSmallInteger(reader.expect(TAG.integer, WHAT).content, WHAT);
  if (version > MAX_VERSION) {
    throw new PosternError("unsupported", `a PrivateKeyInfo of version ${version} is not known`);
  }
  const algorithm = readAlgorithm(reader.expect(TAG.sequence, WHAT), WHAT);
  const privateKey = reader.expect(TAG.octetString, WHAT).content;
  // Attributes and, from version 1, the public key; neither is trusted.
  while (!reader.done) {
    const { tag } = reader.next();
    if (tag !== 0xa0 && tag !== 0x81) {
      throw new PosternError("malformed", "a PrivateKeyInfo ends after its attributes and public key");
    }
  }
  if (algorithm.oid !== EC) return { kind: known(ALGORITHMS[algorithm.oid], algorithm.oid), privateKey };
  const curve = readOid(readWhole(algorithm.parameters?.whole ?? EMPTY, TAG.oid, "curve"), "curve");
  return { kind: known(CURVES[curve], curve), privateKey };
}

/**
 * The PKCS#8 form of an X-Wing key: the 32-byte seed itself is the OCTET STRING's content, and the algorithm has no parameters.
 * Bouncy Castle and CIRCL write the same.
 */
export function xwingPrivateKeyInfo(seed: Bytes): Bytes {
  if (seed.length !== XWING_SEED_BYTES) {
    throw new PosternError("unsupported", `expected an X-Wing seed of ${XWING_SEED_BYTES} bytes, found ${seed.length}`);
  }
  return sequence(unsigned(Uint8Array.of(0)), sequence(oid(XWING)), element(TAG.octetString, seed));
}

/** The seed in what {@link xwingPrivateKeyInfo} made. @throws `malformed`; `unsupported` for any other kind of key */
export function xwingSeedOf(der: Bytes): Bytes {
  const { kind, privateKey } = readPrivateKeyInfo(der);
  if (kind !== "X-Wing") throw new PosternError("unsupported", `expected an X-Wing key, found one of the kind ${kind}`);
  if (privateKey.length !== XWING_SEED_BYTES) {
    throw new PosternError(
      "malformed",
      `expected an X-Wing seed of ${XWING_SEED_BYTES} bytes, found ${privateKey.length}`,
    );
  }
  return privateKey.slice();
}

function known(kind: PrivateKeyKind | undefined, found: string): PrivateKeyKind {
  if (kind !== undefined) return kind;
  throw new PosternError("unsupported", `a private key of the kind ${found} is none that Postern uses`);
}

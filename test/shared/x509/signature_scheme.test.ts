/** Which parameters of which algorithms are read as something to verify with, and which are not. */
import { assertEquals, assertThrows } from "../../assert.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { HASH_OID } from "../../../shared/crypto/digest.ts";
import { readAlgorithm } from "../../../shared/der/algorithm.ts";
import { contextConstructed, DerReader, TAG } from "../../../shared/der/read.ts";
import { element, oid, sequence, unsigned } from "../../../shared/der/write.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { SIGNATURE_OID, signatureScheme } from "../../../shared/x509/signature_scheme.ts";

const NULL = element(TAG.null);
const MGF1 = "1.2.840.113549.1.1.8";
const sha256 = sequence(oid(HASH_OID["SHA-256"]));

function schemeOf(algorithm: string, ...parameters: Bytes[]) {
  const der = sequence(oid(algorithm), ...parameters);
  return signatureScheme(readAlgorithm(new DerReader(der, "test").expect(TAG.sequence, "test"), "test"));
}

Deno.test("signatureScheme() reads RSA with no parameters or NULL, and with no others", () => {
  for (const bits of [256, 384, 512] as const) {
    const algorithm = SIGNATURE_OID[`rsaSha${bits}`];
    const scheme = { kind: "rsa-pkcs1", hash: `SHA-${bits}` } as const;
    assertEquals(schemeOf(algorithm), scheme);
    assertEquals(schemeOf(algorithm, NULL), scheme);
    for (const other of [sequence(), sha256, element(TAG.null, Uint8Array.of(0)), element(TAG.octetString)]) {
      assertEquals(schemeOf(algorithm, other), undefined);
    }
  }
});

Deno.test("signatureScheme() reads Ed25519 and ECDSA without parameters alone", () => {
  for (const algorithm of [SIGNATURE_OID.ed25519, SIGNATURE_OID.ecdsaSha256, SIGNATURE_OID.ecdsaSha384] as const) {
    assertEquals(schemeOf(algorithm) === undefined, false);
    assertEquals(schemeOf(algorithm, NULL), undefined);
  }
});

interface Pss {
  readonly hash?: Bytes;
  readonly mask?: Bytes;
  readonly salt?: Bytes;
}

const saltOf = (length: number) => unsigned(Uint8Array.of(length >> 8, length & 255));

function pssOf({ hash = sha256, mask = sequence(oid(MGF1), hash), salt = saltOf(32) }: Pss, ...more: Bytes[]) {
  const fields = [hash, mask, salt].map((field, index) => element(contextConstructed(index), field));
  return schemeOf(SIGNATURE_OID.rsaPss, sequence(...fields, ...more));
}

Deno.test("signatureScheme() reads RSASSA-PSS with a salt from the digest's length to the limit", () => {
  const ofSalt = (saltBytes: number) => ({ kind: "rsa-pss", hash: "SHA-256", saltBytes }) as const;
  for (const length of [32, 33, LIMITS.maxSignatureBytes]) {
    assertEquals(pssOf({ salt: saltOf(length) }), ofSalt(length));
  }
  for (const length of [0, 31, LIMITS.maxSignatureBytes + 1]) assertEquals(pssOf({ salt: saltOf(length) }), undefined);
  const withNull = sequence(oid(HASH_OID["SHA-256"]), NULL);
  assertEquals(pssOf({ hash: withNull }), ofSalt(32));
  assertEquals(pssOf({ hash: withNull, mask: sequence(oid(MGF1), sha256) }), ofSalt(32));
});

Deno.test("signatureScheme() reads no RSASSA-PSS that leaves something out, or says something else", () => {
  assertEquals(schemeOf(SIGNATURE_OID.rsaPss), undefined);
  const sha384 = sequence(oid(HASH_OID["SHA-384"]));
  const sha1 = sequence(oid("1.3.14.3.2.26"));
  const odd: Pss[] = [
    { hash: sha1 },
    { hash: sequence(oid(HASH_OID["SHA-256"]), sequence()) },
    { mask: sequence(oid(MGF1), sha384) },
    { mask: sequence(oid(MGF1), sha1) },
    { mask: sequence(oid(MGF1)) },
    { mask: sequence(oid("1.2.840.113549.1.1.9"), sha256) },
  ];
  for (const one of odd) assertEquals(pssOf(one), undefined);
  assertEquals(pssOf({}, element(contextConstructed(3), unsigned(Uint8Array.of(1)))), undefined);
  const fields = [sha256, sequence(oid(MGF1), sha256), saltOf(32)];
  for (const missing of [0, 1, 2]) {
    const rest = fields.flatMap((field, index) => index === missing ? [] : [element(contextConstructed(index), field)]);
    assertEquals(schemeOf(SIGNATURE_OID.rsaPss, sequence(...rest)), undefined);
  }
  assertThrows(() => pssOf({ mask: sequence(oid(MGF1), sha256, NULL) }), "malformed");
  assertThrows(() => schemeOf(SIGNATURE_OID.rsaPss, NULL), "malformed");
});

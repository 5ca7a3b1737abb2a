import * as v from "valibot";
import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, concat, EMPTY, equalBytes } from "../../../shared/bytes/bytes.ts";
import { fromBase64Url } from "../../../shared/bytes/encoding.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, importAeadKey, openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { deriveEcdh, importEcdhPkcs8 } from "../../../shared/crypto/ecdh.ts";
import { ecdsaRawFromDer } from "../../../shared/crypto/ecdsa_der.ts";
import { hmacSha256 } from "../../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../../shared/crypto/hkdf.ts";
import { openHpke } from "../../../shared/crypto/hpke.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { algorithmOfSpki, importVerifyKey, verifySignature } from "../../../shared/crypto/signature.ts";
import { deriveX25519, importX25519 } from "../../../shared/crypto/x25519.ts";
import { hexBytes, wycheproof, wycheproofFolder } from "./wycheproof.ts";

const RUN = [
  "aes_gcm_test.json",
  "ecdh_secp256r1_webcrypto_test.json",
  "ecdsa_secp256r1_sha256_p1363_test.json",
  "ecdsa_secp256r1_sha256_test.json",
  "hkdf_sha256_test.json",
  "hmac_sha256_test.json",
  "rsa_oaep_2048_sha256_mgf1sha256_test.json",
  "x25519_test.json",
];

wycheproofFolder.test("every file of Wycheproof that is there is run", () => {
  assertEquals([...Deno.readDirSync(wycheproofFolder.path)].map(({ name }) => name).sort(), RUN);
});

wycheproof({
  file: "aes_gcm_test.json",
  group: { type: v.literal("AeadTest"), keySize: v.number(), ivSize: v.number(), tagSize: v.literal(128) },
  vector: { key: hexBytes, iv: hexBytes, aad: hexBytes, msg: hexBytes, ct: hexBytes, tag: hexBytes },
  async run(_group, { key: raw, iv, aad, msg, ct, tag }) {
    const key = await importAeadKey(raw);
    const opened = await openAead(key, iv, concat(ct, tag), aad);
    // Sealing is deterministic once the nonce is given, so it must make the very same bytes.
    assert(equalBytes(await sealAead(key, iv, msg, aad), concat(ct, tag)));
    return opened;
  },
  expected({ keySize, ivSize }, { result, msg }) {
    if (keySize !== 8 * AEAD_KEY_BYTES || ivSize !== 8 * AEAD_NONCE_BYTES) return { excluded: true };
    return result === "valid" ? { gave: msg } : { threw: "tampered" };
  },
});

wycheproof({
  file: "hmac_sha256_test.json",
  group: { type: v.literal("MacTest"), keySize: v.number(), tagSize: v.number() },
  vector: { key: hexBytes, msg: hexBytes, tag: hexBytes },
  run({ tagSize }, { key, msg, tag }) {
    return Promise.resolve(equalBytes(hmacSha256(key, msg).subarray(0, tagSize / 8), tag));
  },
  expected: (_group, { result }) => ({ gave: result === "valid" }),
});

wycheproof({
  file: "hkdf_sha256_test.json",
  group: { type: v.literal("HkdfTest"), keySize: v.number() },
  vector: { ikm: hexBytes, salt: hexBytes, info: hexBytes, size: v.number(), okm: hexBytes },
  run: (_group, { ikm, salt, info, size }) =>
    Promise.resolve().then(() => hkdfExpand(hkdfExtract(salt, ikm), info, size)),
  // The invalid ones ask for more than HKDF can give.
  expected: (_group, { result, okm }) => result === "valid" ? { gave: okm } : { threw: "unsupported" },
});

wycheproof({
  file: "x25519_test.json",
  group: { type: v.literal("XdhComp"), curve: v.literal("curve25519") },
  vector: { public: hexBytes, private: hexBytes, shared: hexBytes },
  run: async (_group, vector) => deriveX25519((await importX25519(vector.private)).privateKey, vector.public),
  // All are well-formed. Those whose result is zero are acceptable to RFC 7748 and not to us (spec: SESS-05).
  expected: (_group, { shared }) => shared.some((byte) => byte !== 0) ? { gave: shared } : { threw: "tampered" },
});

const jwk = { kty: v.literal("EC"), crv: v.string(), x: v.string(), y: v.string(), kid: v.literal("none") };

wycheproof({
  file: "ecdh_secp256r1_webcrypto_test.json",
  group: { type: v.literal("EcdhWebcryptoTest"), curve: v.literal("P-256"), encoding: v.literal("webcrypto") },
  vector: { public: v.strictObject(jwk), private: v.strictObject({ ...jwk, d: v.string() }), shared: hexBytes },
  async run(_group, vector) {
    const { privateKey } = await importEcdhPkcs8("P-256", await pkcs8OfJwk(vector.private));
    const { x, y } = vector.public;
    return await deriveEcdh("P-256", privateKey, concat(new Uint8Array([4]), fromBase64Url(x), fromBase64Url(y)));
  },
  expected: (_group, { result, shared }) => result === "valid" ? { gave: shared } : { threw: "malformed" },
});

async function pkcs8OfJwk({ kty, crv, x, y, d }: JsonWebKey): Promise<Bytes> {
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  const jwk = { kty, crv, x, y, d } as JsonWebKey;
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
}

const ecPublicKey = v.strictObject({
  type: v.literal("EcPublicKey"),
  curve: v.literal("secp256r1"),
  keySize: v.literal(256),
  uncompressed: v.string(),
  wx: v.string(),
  wy: v.string(),
});

const ecdsaGroup = {
  sha: v.literal("SHA-256"),
  publicKey: ecPublicKey,
  publicKeyDer: hexBytes,
  publicKeyPem: v.string(),
};

async function verifies(spki: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  assertEquals(algorithmOfSpki(spki), "ES256");
  return await verifySignature(await importVerifyKey(spki, "ES256"), signature, message);
}

wycheproof({
  file: "ecdsa_secp256r1_sha256_p1363_test.json",
  group: { type: v.literal("EcdsaP1363Verify"), ...ecdsaGroup, publicKeyJwk: v.optional(v.strictObject(jwk)) },
  vector: { msg: hexBytes, sig: hexBytes },
  run: ({ publicKeyDer }, { sig, msg }) => verifies(publicKeyDer, sig, msg),
  expected: (_group, { result }) => ({ gave: result === "valid" }),
});

wycheproof({
  file: "ecdsa_secp256r1_sha256_test.json",
  group: { type: v.literal("EcdsaVerify"), ...ecdsaGroup },
  vector: { msg: hexBytes, sig: hexBytes },
  run: async ({ publicKeyDer }, { sig, msg }) => await verifies(publicKeyDer, ecdsaRawFromDer(sig, "P-256"), msg),
  // Some are not DER, some are and do not verify; both are what Wycheproof calls invalid.
  expected: (_group, { result }) =>
    result === "valid" ? { gave: true } : { oneOf: [{ threw: "malformed" }, { gave: false }] },
});

wycheproof({
  file: "rsa_oaep_2048_sha256_mgf1sha256_test.json",
  group: {
    type: v.literal("RsaesOaepDecrypt"),
    keySize: v.literal(2048),
    sha: v.literal("SHA-256"),
    mgf: v.literal("MGF1"),
    mgfSha: v.literal("SHA-256"),
    privateKey: v.record(v.string(), v.string()),
    privateKeyPkcs8: hexBytes,
    privateKeyPem: v.string(),
    privateKeyJwk: v.record(v.string(), v.string()),
  },
  vector: { msg: hexBytes, ct: hexBytes, label: hexBytes },
  async run({ privateKeyPkcs8 }, { label, ct }) {
    const key = await importHpkeKey("rsa-oaep-256", privateKeyPkcs8);
    return await openHpke("rsa-oaep-256", key, label, { encapsulated: EMPTY, ciphertext: ct });
  },
  expected: (_group, { result, msg }) => result === "valid" ? { gave: msg } : { threw: "tampered" },
});

/** The steps of verification by themselves, at their edges. */
import { equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { digestHash, signerScheme } from "../../../shared/cms/algorithms.ts";
import { CMS_OID } from "../../../shared/cms/oids.ts";
import { releasePath, requireCodeSigner } from "../../../shared/cms/release_path.ts";
import { issuerAndSerial } from "../../../shared/cms/signer_id.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { digest, HASH_OID } from "../../../shared/crypto/digest.ts";
import { readAlgorithm } from "../../../shared/der/algorithm.ts";
import { DerReader, TAG } from "../../../shared/der/read.ts";
import { element, oid, sequence, time, unsigned } from "../../../shared/der/write.ts";
import { writeName } from "../../../shared/x509/dn.ts";
import { KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { DAY } from "../x509/builder.ts";
import { attribute, attributesOf, forge } from "./forge.ts";
import { certified, CONTENT, NOW, root } from "./publisher.ts";

const top = await root();
const signer = await certified("CN=release,O=Publisher", top);
const trust = { roots: [top.certificate], now: NOW };
const NULL = element(TAG.null);

const algorithm = (dotted: string, ...parameters: Uint8Array[]) => {
  const der = sequence(oid(dotted), ...parameters);
  return readAlgorithm(new DerReader(der, "algorithm").next(), "algorithm");
};

Deno.test("digestHash() and signerScheme() take parameters that say nothing, and no others (CMS-07, CMS-08)", () => {
  assertEquals(digestHash(algorithm(HASH_OID["SHA-384"])), "SHA-384");
  assertEquals(digestHash(algorithm(HASH_OID["SHA-256"], NULL)), "SHA-256");
  for (const odd of [algorithm(HASH_OID["SHA-256"], sequence()), algorithm("1.3.14.3.2.26", NULL)]) {
    assert(assertThrows(() => digestHash(odd), "signature").message.includes("accepted are SHA-256"));
  }
  const { rsaEncryption } = CMS_OID;
  assertEquals(signerScheme(algorithm(rsaEncryption, NULL), "SHA-512"), { kind: "rsa-pkcs1", hash: "SHA-512" });
  assertEquals(signerScheme(algorithm(rsaEncryption), "SHA-256"), { kind: "rsa-pkcs1", hash: "SHA-256" });
  assertThrows(() => signerScheme(algorithm(rsaEncryption, sequence()), "SHA-256"), "signature");
  const named = algorithm("1.2.840.113549.1.1.11", NULL);
  assertEquals(signerScheme(named, "SHA-256"), { kind: "rsa-pkcs1", hash: "SHA-256" });
  assertThrows(() => signerScheme(named, "SHA-512"), "signature");
});

Deno.test("verifyDetached() takes attributes named after SHA-2, and as many certificates as a file may have (CMS-09)", async () => {
  const named = async (hash: "SHA-256" | "SHA-384", identified: boolean, cut = 0) => {
    const id = element(TAG.octetString, (await digest(hash, signer.certificate.der)).subarray(cut));
    return sequence(...identified ? [sequence(oid(HASH_OID[hash]))] : [], id);
  };
  const check = async (...ids: Uint8Array[]) => {
    const attributes = [
      ...await attributesOf(CONTENT),
      attribute(CMS_OID.signingCertificateV2, sequence(sequence(...ids))),
    ];
    const certificates = [signer, top].map(({ certificate }) => certificate.der);
    return await verifyDetached(CONTENT, await forge(signer, { attributes, certificates }), trust);
  };
  // One that is named leaves the others of the file alone.
  await check(await named("SHA-384", true));
  await check(await named("SHA-256", true));
  const sha1 = sequence(sequence(oid("1.3.14.3.2.26")), element(TAG.octetString, new Uint8Array(20)));
  await assertRejects(() => check(sha1), "signature");
  await assertRejects(async () => await check(await named("SHA-256", false, 1)), "malformed");
  const id = await named("SHA-256", false);
  await assertRejects(() => check(...Array.from({ length: 9 }, () => id)), "too_large");
  await assertRejects(() => check(...Array.from({ length: 8 }, () => id)), "signature");
});

Deno.test("issuerAndSerial() is the certificate's own (CMS-10)", () => {
  const { issuerName, serial } = signer.certificate;
  const expected = sequence(writeName(issuerName), unsigned(fromHex(serial)));
  assert(equalBytes(issuerAndSerial(signer.certificate), expected));
});

Deno.test("verifyDetached() says that several certificates could be the signer's (CMS-10)", async () => {
  const twin = await certified("CN=twin,O=Publisher", top, { key: signer.key });
  const certificates = [signer, twin].map(({ certificate }) => certificate.der);
  const signerId = element(0x80, signer.certificate.subjectKeyId ?? new Uint8Array(0));
  const signature = await forge(signer, { version: 3, signerVersion: 3, signerId, certificates });
  const error = await assertRejects(() => verifyDetached(CONTENT, signature, trust), "signature");
  assert(error.message.includes("several certificates"));
});

Deno.test("verifyDetached() takes no text mode for several lines, none, or an empty content (CMS-12)", async () => {
  const cases = [["{\n}\n", "{\n}\r\n"], ["", "\r\n"], ["{}", "{}\r\n"], ["\n{}", "\r\n{}"]] as const;
  for (const [content, signed] of cases) {
    const signature = await forge(signer, { content: utf8(signed) });
    await assertRejects(() => verifyDetached(utf8(content), signature, trust), "signature");
  }
  const lines = await assertRejects(
    async () => await verifyDetached(utf8("{\n}\n"), await forge(signer), trust),
    "signature",
  );
  assert(lines.message.includes("-binary"));
  const line = await assertRejects(
    async () => await verifyDetached(utf8("{}\n"), await forge(signer), trust),
    "signature",
  );
  assert(!line.message.includes("-binary"));
  await verifyDetached(utf8(""), await forge(signer, { content: utf8("") }), trust);
});

Deno.test("verifyDetached() takes a signing time at the very ends of what it may be (CMS-06)", async () => {
  const at = async (millis: number, now: number) => {
    const [contentType, , messageDigest] = await attributesOf(CONTENT);
    const attributes = [contentType, messageDigest, attribute(CMS_OID.signingTime, time(millis))].filter((one) =>
      one !== undefined
    );
    return await verifyDetached(CONTENT, await forge(signer, { attributes }), { ...trust, now });
  };
  await at(NOW + 600_000, NOW);
  await assertRejects(() => at(NOW + 601_000, NOW), "not_yet_valid");
  await at(NOW - DAY, NOW);
  await assertRejects(() => at(NOW - DAY - 1000, NOW), "signature");
  await at(NOW + DAY, NOW + DAY);
  await assertRejects(() => at(NOW + DAY + 1000, NOW + DAY), "signature");
});

Deno.test("requireCodeSigner() names the certificate, and refuses weak RSA and authorities of every purpose (CMS-08, CMS-13)", async () => {
  const { certificate } = signer;
  const rsa = (bits: number) => {
    const bytes = new Uint8Array(bits / 8);
    return { kind: "rsa" as const, description: `RSA ${bits}`, bits, modulus: bytes, exponent: bytes, pss: undefined };
  };
  for (const bits of [1_024, 2_040, 8_200]) {
    const error = assertThrows(() => requireCodeSigner({ ...certificate, publicKey: rsa(bits) }), "signature");
    assert(error.message.includes(`RSA ${bits}`));
  }
  for (const bits of [2_048, 8_192]) requireCodeSigner({ ...certificate, publicKey: rsa(bits) });
  const usage = KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign;
  const both = await certified("CN=both", top, { isCa: true, purposes: [PURPOSE.codeSigning], keyUsage: usage });
  assert(assertThrows(() => requireCodeSigner(both.certificate), "untrusted").message.includes("CN=both"));
  assertThrows(() => requireCodeSigner({ ...certificate, subjectName: [], isSelfIssued: true }), "untrusted");
});

Deno.test("releasePath() takes a second certificate of an authority's key under its name, and nothing that is only alike (CMS-15)", async () => {
  const path = (...others: { certificate: typeof signer.certificate }[]) => {
    const certificates = [signer, ...others].map(({ certificate }) => certificate);
    return releasePath(signer.certificate, certificates, [top.certificate], NOW);
  };
  const other = await certified("CN=other", undefined, { isCa: true });
  const cross = await certified("CN=root,O=Publisher", other, { isCa: true, key: top.key });
  assertEquals((await path(cross)).length, 2);
  await assertRejects(() => path(other), "signature");
  const sameName = await certified("CN=root,O=Publisher", other, { isCa: true });
  await assertRejects(() => path(sameName), "signature");
  const sameKey = await certified("CN=else,O=Publisher", other, { isCa: true, key: top.key });
  await assertRejects(() => path(sameKey), "signature");
  const twin = await certified("CN=release,O=Publisher", other, { key: signer.key });
  await assertRejects(() => path(twin), "signature");
});

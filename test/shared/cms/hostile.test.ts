/** Signatures and certificates that verify by their letters, and must not be accepted. */
import { compareBytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { digestAlgorithm, suiteOf } from "../../../shared/cms/algorithms.ts";
import { CMS_OID } from "../../../shared/cms/oids.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { writeSignaturePem } from "../../../shared/cms/signature_file.ts";
import { type ReleaseTrust, verifyDetached } from "../../../shared/cms/verify.ts";
import { digest } from "../../../shared/crypto/digest.ts";
import { context, contextConstructed, TAG } from "../../../shared/der/read.ts";
import { element, oid, sequence, time } from "../../../shared/der/write.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { EXTENSION, KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { DAY, type Holder, nameDer, newKey } from "../x509/builder.ts";
import { attribute, attributesOf, forge, type Forgery } from "./forge.ts";
import { certified, CONTENT, NOW, root, signerOf } from "./publisher.ts";

const top = await root();
const signer = await certified("CN=release,O=Publisher", top);
const trust: ReleaseTrust = { roots: [top.certificate], now: NOW };
const SHA1 = sequence(oid("1.3.14.3.2.26"));
const MD5 = sequence(oid("1.2.840.113549.2.5"), element(TAG.null));
const all = await attributesOf(CONTENT);
const [contentType, signingTime, messageDigest] = all;
const without = (one: unknown) => all.filter((other) => other !== one);
const octets = element(TAG.octetString, CONTENT);

async function refuses(code: ErrorCode, cases: Readonly<Record<string, Forgery>>): Promise<void> {
  for (const [what, forgery] of Object.entries(cases)) {
    const signature = await forge(signer, forgery);
    await assertRejects(() => verifyDetached(forgery.content ?? CONTENT, signature, trust), code).catch((error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    });
  }
}

Deno.test("verifyDetached() accepts the forge's work when it deviates in nothing", async () => {
  const { certificate, path, form, mode, signedAt } = await verifyDetached(CONTENT, await forge(signer), trust);
  assertEquals([certificate.serial, path.length, form, mode, signedAt], [
    signer.certificate.serial,
    2,
    "DER",
    "binary",
    NOW,
  ]);
});

Deno.test("verifyDetached() refuses several signers, content inside, lists and unsigned attributes (CMS-04)", async () => {
  await refuses("signature", {
    "several signers": { signers: 2 },
    "no signer": { signers: 0 },
    "content inside": { encapsulated: sequence(oid(CMS_OID.data), element(contextConstructed(0), octets)) },
    "another encapsulated type": { encapsulated: sequence(oid(CMS_OID.signedData)) },
    "another content type": { type: "1.2.840.113549.1.7.3" },
    "revocation lists": { lists: sequence() },
    "unsigned attributes": { unsigned: element(contextConstructed(1), attribute("1.2.3.4", octets)) },
    "certificates of another kind": { certificates: [element(contextConstructed(1), octets)] },
  });
  await refuses("malformed", {
    "version 3 of SignedData": { version: 3 },
    "version 3 of SignerInfo": { signerVersion: 3 },
    "version 1 with a key identifier": { signerId: element(context(0), signer.certificate.subjectKeyId ?? octets) },
    "two digests": { digests: [digestAlgorithm("SHA-256"), digestAlgorithm("SHA-512")] },
    "another digest": { digests: [digestAlgorithm("SHA-256")] },
    "a certificate twice": { certificates: [signer.certificate.der, signer.certificate.der] },
    "certificates out of order": {
      certificates: [signer.certificate.der, top.certificate.der].sort(compareBytes).reverse(),
      keepOrder: true,
    },
  });
});

Deno.test("verifyDetached() wants signed attributes, each once and in order (CMS-05)", async () => {
  const other = attribute(CMS_OID.contentType, oid(CMS_OID.signedData));
  await refuses("signature", {
    "no signed attributes": { attributes: undefined },
    "none": { attributes: [] },
    "no content type": { attributes: without(contentType) },
    "no message digest": { attributes: without(messageDigest) },
    "another content type": { attributes: [...without(contentType), other] },
  });
  await refuses("malformed", {
    "a content type twice": { attributes: [...all, other] },
    "two values": {
      attributes: [...without(contentType), attribute(CMS_OID.contentType, oid(CMS_OID.data), oid(CMS_OID.data))],
    },
    "no value": { attributes: [...all, attribute("1.2.3.4")] },
    "out of order": { attributes: [...all].sort((a, b) => b.length - a.length), keepOrder: true },
  });
  const more = attribute("1.2.3.4", octets);
  await verifyDetached(CONTENT, await forge(signer, { attributes: [...all, more] }), trust);
});

Deno.test("verifyDetached() judges the signing time by certificate and clock, and does without one (CMS-06)", async () => {
  const at = (millis: number) => ({
    attributes: [...without(signingTime), attribute(CMS_OID.signingTime, time(millis))],
  });
  await refuses("not_yet_valid", { "in an hour": at(NOW + 3_600_000) });
  await refuses("signature", { "before the certificate": at(NOW - 2 * DAY) });
  await verifyDetached(CONTENT, await forge(signer, at(NOW + 500_000)), trust);
  const silent = await verifyDetached(CONTENT, await forge(signer, { attributes: without(signingTime) }), trust);
  assertEquals(silent.signedAt, undefined);
});

Deno.test("verifyDetached() refuses MD5, SHA-1 and digests that do not fit the algorithm (CMS-07)", async () => {
  const by256 = attribute(CMS_OID.messageDigest, element(TAG.octetString, await digest("SHA-256", CONTENT)));
  await refuses("signature", {
    "SHA-1": { digest: SHA1 },
    "MD5": { digest: MD5 },
    "Ed25519 with SHA-256": { digest: digestAlgorithm("SHA-256"), attributes: [...without(messageDigest), by256] },
    "SHA-1 with RSA": { algorithm: sequence(oid("1.2.840.113549.1.1.5"), element(TAG.null)) },
    "MD5 with RSA": { algorithm: sequence(oid("1.2.840.113549.1.1.4"), element(TAG.null)) },
    "PSS by its defaults": { algorithm: sequence(oid("1.2.840.113549.1.1.10"), sequence()) },
  });
});

Deno.test("verifyDetached() refuses an algorithm that is not the key's, whatever it is called (CMS-08)", async () => {
  await refuses("signature", {
    "RSA by an Ed25519 key": { algorithm: sequence(oid(CMS_OID.rsaEncryption), element(TAG.null)) },
    "ECDSA by an Ed25519 key": { algorithm: suiteOf("ES512").signature },
  });
});

Deno.test("verifyDetached() holds the signer to the certificates that it named (CMS-09)", async () => {
  const twin = await certified("CN=twin,O=Publisher", top, { key: signer.key });
  const ours = await signDetached(CONTENT, signerOf(signer, "Ed25519"), NOW);
  const naming = async (...of: Holder[]) => {
    const ids = of.map(({ certificate }) => sequence(element(TAG.octetString, certificate.fingerprint)));
    return [...await attributesOf(CONTENT), attribute(CMS_OID.signingCertificateV2, sequence(sequence(...ids)))];
  };
  await refuses("signature", {
    "another certificate of the key": { attributes: await naming(twin) },
    "a certificate that is not named": {
      attributes: await naming(signer, twin),
      certificates: [signer.certificate.der, top.certificate.der],
    },
  });
  await refuses("malformed", { "an empty list": { attributes: await naming() } });
  await verifyDetached(CONTENT, ours, trust);
  const named = { attributes: await naming(signer, top), certificates: [signer.certificate.der, top.certificate.der] };
  await verifyDetached(CONTENT, await forge(signer, named), trust);
});

Deno.test("verifyDetached() refuses a signer that is not in the file, or not named to the byte (CMS-10)", async () => {
  const stranger = await certified("CN=stranger,O=Publisher", top);
  const { subjectKeyId } = signer.certificate;
  await refuses("signature", {
    "no certificates": { certificates: [] },
    "another's certificate": { certificates: [stranger.certificate.der] },
    "a key identifier of nobody": { version: 3, signerVersion: 3, signerId: element(context(0), utf8("nobody")) },
  });
  const byKey = { version: 3, signerVersion: 3, signerId: element(context(0), subjectKeyId ?? new Uint8Array(0)) };
  await verifyDetached(CONTENT, await forge(signer, byKey), trust);
  const twin = await certified("CN=twin,O=Publisher", top, { key: signer.key });
  await refuses("signature", {
    "two certificates of the key": { ...byKey, certificates: [signer.certificate.der, twin.certificate.der] },
  });
});

Deno.test("verifyDetached() refuses a CR, and other line ends than were signed (CMS-11)", async () => {
  const line = utf8('{"a":1}\n');
  const crlf = utf8('{"a":1}\r\n');
  const two = utf8("{\n}\n");
  const over = (content: Uint8Array<ArrayBuffer>) => forge(signer, { content });
  await assertRejects(async () => await verifyDetached(crlf, await over(crlf), trust), "signature");
  await assertRejects(async () => await verifyDetached(crlf, await over(line), trust), "signature");
  assertEquals((await verifyDetached(line, await over(crlf), trust)).mode, "text");
  assertEquals((await verifyDetached(two, await over(two), trust)).mode, "binary");
  await assertRejects(async () => await verifyDetached(two, await over(utf8("{\r\n}\r\n")), trust), "signature");
  await assertRejects(async () => await verifyDetached(utf8('{"a":1}'), await over(crlf), trust), "signature");
  await assertRejects(() => signDetached(crlf, signerOf(signer, "Ed25519"), NOW), "malformed");
});

Deno.test("verifyDetached() refuses the right authority's certificate for the wrong purpose (CMS-13)", async () => {
  const cases: Readonly<Record<string, Holder>> = {
    "servers": await certified("CN=a", top, { purposes: [PURPOSE.serverAuth] }),
    "anything": await certified("CN=b", top, { purposes: [PURPOSE.any] }),
    "no purpose": await certified("CN=c", top, { purposes: null }),
    "no signatures": await certified("CN=d", top, { keyUsage: KEY_USAGE.keyEncipherment }),
    "an authority": await certified("CN=e", top, { isCa: true, purposes: [PURPOSE.codeSigning] }),
    "the root itself": top,
    "self-signed": await certified("CN=f", undefined),
  };
  for (const [what, holder] of Object.entries(cases)) {
    const roots = [top.certificate, ...what === "self-signed" ? [holder.certificate] : []];
    const signature = await forge(holder);
    await assertRejects(() => verifyDetached(CONTENT, signature, { ...trust, roots }), "untrusted");
    await assertRejects(() => signDetached(CONTENT, signerOf(holder, "Ed25519"), NOW), "untrusted");
  }
  const silent = await certified("CN=g", top, { keyUsage: null });
  await verifyDetached(CONTENT, await forge(silent), trust);
  const both = await certified("CN=h", top, { purposes: [PURPOSE.emailProtection, PURPOSE.codeSigning] });
  await verifyDetached(CONTENT, await forge(both), trust);
});

Deno.test("verifyDetached() wants a path to a pinned root that is good today (CMS-14)", async () => {
  const other = await root();
  const check = async (code: ErrorCode, holder: Holder, chain: readonly Holder[] = [], now = NOW) => {
    const certificates = [holder, ...chain].map(({ certificate }) => certificate.der);
    const signature = await forge(holder, { certificates });
    await assertRejects(() => verifyDetached(CONTENT, signature, { ...trust, now }), code);
  };
  await check("untrusted", await certified("CN=a", other));
  await check("untrusted", await certified("CN=a", other), [other]);
  await check("expired", await certified("CN=b", top, { notAfter: NOW - 1000 }));
  await check("not_yet_valid", await certified("CN=c", top, { notBefore: NOW + 1000 }));
  await check("expired", signer, [], NOW + 2 * DAY);
  const middle = await certified("CN=middle,O=Publisher", top, { isCa: true });
  const below = await certified("CN=below,O=Publisher", middle);
  // Not in the file: it is not looked for anywhere else.
  await check("untrusted", below);
  const last = await certified("CN=last,O=Publisher", top, { isCa: true, pathLen: 0 });
  const under = await certified("CN=under,O=Publisher", last, { isCa: true });
  await check("untrusted", await certified("CN=d", under), [last, under]);
  const old = await certified("CN=old,O=Publisher", top, { isCa: true, notAfter: NOW - 1000 });
  await check("expired", await certified("CN=e", old), [old]);
  // Not an authority, though the root has issued it.
  await check("untrusted", await certified("CN=f", signer), [signer]);
  const serving = await certified("CN=serving,O=Publisher", top, { isCa: true, purposes: [PURPOSE.serverAuth] });
  await check("untrusted", await certified("CN=g", serving), [serving]);
  const odd = extension("1.2.3.4", true, octets);
  await check("untrusted", await certified("CN=h", top, { more: [odd] }));
  const path = (await verifyDetached(
    CONTENT,
    await forge(below, { certificates: [below, middle, top].map(({ certificate }) => certificate.der) }),
    trust,
  )).path;
  assertEquals(path.map(({ serial }) => serial), [below, middle, top].map(({ certificate }) => certificate.serial));
});

Deno.test("verifyDetached() refuses a name that the authority may not give (CMS-14)", async () => {
  const allowed = element(contextConstructed(4), nameDer("O=Publisher"));
  const subtrees = sequence(element(contextConstructed(0), sequence(allowed)));
  const constraint = extension(EXTENSION.nameConstraints, true, subtrees);
  const limited = await certified("CN=limited,O=Publisher", top, { isCa: true, more: [constraint] });
  const within = await certified("CN=within,O=Publisher", limited);
  const beyond = await certified("CN=beyond,O=Stranger", limited);
  const signed = (holder: Holder) => forge(holder, { certificates: [holder.certificate.der, limited.certificate.der] });
  await verifyDetached(CONTENT, await signed(within), trust);
  await assertRejects(async () => await verifyDetached(CONTENT, await signed(beyond), trust), "untrusted");
});

Deno.test("verifyDetached() refuses certificates that the signer has nothing to do with, but not a cross certificate (CMS-15)", async () => {
  const stray = await certified("CN=stray,O=Publisher", top);
  await refuses("signature", {
    "a stray certificate": { certificates: [signer.certificate.der, stray.certificate.der] },
  });
  const next = await root("Ed25519");
  const renamed = await certified("CN=next,O=Publisher", undefined, { isCa: true, key: next.key });
  const cross = await certified("CN=next,O=Publisher", top, { isCa: true, key: next.key });
  const leaf = await certified("CN=leaf,O=Publisher", renamed);
  const signature = await forge(leaf, { certificates: [leaf.certificate.der, cross.certificate.der] });
  // Whoever has pinned the old root, and whoever has pinned the new one, verify the same file.
  assertEquals((await verifyDetached(CONTENT, signature, trust)).path.length, 3);
  const pinned = { roots: [renamed.certificate], now: NOW };
  assertEquals((await verifyDetached(CONTENT, signature, pinned)).path.length, 2);
});

Deno.test("verifyDetached() refuses BER, other labels, text around PEM and what is no signature (CMS-01)", async () => {
  const der = await forge(signer);
  const pem = writeSignaturePem(der);
  const accepted = [pem, pem.replaceAll("CMS", "PKCS7"), pem.replaceAll("\n", "\r\n")];
  for (const text of accepted) assertEquals((await verifyDetached(CONTENT, utf8(text), trust)).form, "PEM");
  const refused = [
    ...[` ${pem}`, `${pem}\n`, `\n${pem}`, pem + pem, pem.replace("\n", "\r\n"), pem.slice(0, -1)],
    ...[pem.replaceAll("CMS", "CERTIFICATE"), pem.replace(/\n(.{60})/, "\n$1\n"), "", "{}", "MIME-Version: 1.0\n"],
  ];
  for (const text of refused) await assertRejects(() => verifyDetached(CONTENT, utf8(text), trust), "malformed");
  const streamed = concat(Uint8Array.of(0x30, 0x80), der.subarray(4), Uint8Array.of(0, 0));
  for (const bytes of [streamed, concat(der, Uint8Array.of(0)), der.subarray(0, -1), der.subarray(1)]) {
    await assertRejects(() => verifyDetached(CONTENT, new Uint8Array(bytes), trust), "malformed");
  }
});

Deno.test("verifyDetached() looks at sizes and counts before anything else (CMS-03)", async () => {
  const der = await forge(signer);
  const large = new Uint8Array(LIMITS.maxSignedContentBytes + 1);
  await assertRejects(() => verifyDetached(large, der, trust), "too_large");
  await assertRejects(() => verifyDetached(CONTENT, new Uint8Array(1_048_576).fill(0x30), trust), "too_large");
  const long = concat(utf8("MIME-Version: 1.0\n"), new Uint8Array(1_048_576));
  await assertRejects(() => verifyDetached(CONTENT, long, trust), "too_large");
  const many = Array.from({ length: LIMITS.maxSignedAttributes }, (_, i) => attribute(`1.2.3.${i}`, octets));
  await refuses("too_large", { "attributes": { attributes: [...all, ...many] } });
  const crowd = await Promise.all(
    Array.from({ length: LIMITS.maxCmsCertificates + 1 }, (_, i) => certified(`CN=${i}`, top)),
  );
  await refuses("too_large", { "certificates": { certificates: crowd.map(({ certificate }) => certificate.der) } });
});

Deno.test("signDetached() refuses a key that is not the certificate's, and one whose time is over (CMS-16)", async () => {
  const mixed = signerOf({ certificate: signer.certificate, key: await newKey() }, "Ed25519");
  await assertRejects(() => signDetached(CONTENT, mixed, NOW), "wrong_key");
  await assertRejects(() => signDetached(CONTENT, signerOf(signer, "Ed25519"), NOW + 2 * DAY), "expired");
  await assertRejects(() => signDetached(CONTENT, signerOf(signer, "Ed25519"), NOW - 2 * DAY), "not_yet_valid");
});

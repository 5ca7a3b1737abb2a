import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as asn1 from "@peculiar/asn1-x509";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { context, contextConstructed, DerReader, readWhole, TAG } from "../../../shared/der/read.ts";
import { element, octetBits, oid, sequence, time, TRUE, unsigned } from "../../../shared/der/write.ts";
import { EXTENSION } from "../../../shared/x509/extensions.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { build, keyIds, NOW, rawName, STRINGS } from "./builder.ts";

const roots = rootCertificates.flatMap((text) => readPem(text)).map(({ bytes }) => bytes);

Deno.test("readCertificate() reads every root of the runtime as two other readers do", () => {
  assert(roots.length > 100, `only ${roots.length} roots`);
  for (const der of roots) {
    const ours = readCertificate(der);
    const node = new X509Certificate(der);
    assertEquals(toHex(ours.fingerprint).toUpperCase(), node.fingerprint256.replaceAll(":", ""));
    assertEquals(BigInt(`0x${ours.serial}`), BigInt(`0x${node.serialNumber}`));
    assertEquals(ours.notBefore, Date.parse(node.validFrom));
    assertEquals(ours.notAfter, Date.parse(node.validTo));
    assertEquals(ours.isCa, node.ca);
    const theirs = AsnConvert.parse(der, asn1.Certificate);
    const tbs = theirs.tbsCertificate;
    assertEquals(toHex(ours.spki), toHex(new Uint8Array(AsnConvert.serialize(tbs.subjectPublicKeyInfo))));
    assertEquals(toHex(ours.signature), toHex(new Uint8Array(theirs.signatureValue)));
    assertEquals(ours.present.join(), (tbs.extensions ?? []).map(({ extnID }) => extnID).join());
    const find = (id: string) => (tbs.extensions ?? []).find(({ extnID }) => extnID === id)?.extnValue.buffer;
    const hex = (bytes: ArrayBuffer | undefined) => bytes && toHex(new Uint8Array(bytes));
    const ski = find(asn1.id_ce_subjectKeyIdentifier);
    assertEquals(ours.subjectKeyId && toHex(ours.subjectKeyId), ski && hex(AsnConvert.parse(ski, OctetString).buffer));
    const aki = find(asn1.id_ce_authorityKeyIdentifier);
    const akiId = aki && AsnConvert.parse(aki, asn1.AuthorityKeyIdentifier).keyIdentifier?.buffer;
    assertEquals(ours.authorityKeyId && toHex(ours.authorityKeyId), hex(akiId));
    const usage = find(asn1.id_ce_keyUsage);
    assertEquals(ours.keyUsage, usage && AsnConvert.parse(usage, asn1.KeyUsage).toNumber());
    const basic = find(asn1.id_ce_basicConstraints);
    assertEquals(ours.pathLen, basic && AsnConvert.parse(basic, asn1.BasicConstraints).pathLenConstraint);
  }
});

/** The fields of a certificate's TBSCertificate, changed, in a certificate whose signature no longer fits. */
function edit(der: Bytes, change: (fields: Bytes[]) => Uint8Array[]): Bytes {
  const outer = new DerReader(readWhole(der, TAG.sequence, "test"), "test");
  const fields = new DerReader(outer.next().content, "test");
  const parts: Bytes[] = [];
  while (!fields.done) parts.push(fields.next().whole);
  return sequence(sequence(...change(parts)), outer.next().whole, outer.next().whole);
}

const plain = await build();
const [VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, SPKI, EXTENSIONS] = [0, 1, 2, 3, 4, 5, 6, 7];
const replace = (index: number, part: Uint8Array) => edit(plain, (fields) => fields.with(index, new Uint8Array(part)));
const withExtensions = (...list: Bytes[]) => replace(EXTENSIONS, element(contextConstructed(3), sequence(...list)));
const withExtension = (id: string, value: Bytes) => withExtensions(extension(id, false, value));
const withSpki = (algorithm: Bytes, key: Bytes) => replace(SPKI, sequence(algorithm, octetBits(key)));
const version = (number: number) => element(contextConstructed(0), unsigned(Uint8Array.of(number)));
const dns = (text: string) => element(context(2), utf8(text));
const ec = sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"));
const rsa = sequence(oid("1.2.840.113549.1.1.1"), element(TAG.null));
const basic = EXTENSION.basicConstraints;

Deno.test("readCertificate() reads a certificate taken apart and put together again", () => {
  assertEquals(toHex(edit(plain, (fields) => fields)), toHex(plain));
});

const REFUSED: readonly [why: string, code: ErrorCode, der: Bytes][] = [
  ["nothing", "malformed", new Uint8Array(0)],
  ["text", "malformed", utf8("-----BEGIN CERTIFICATE-----")],
  ["bytes after the end", "malformed", new Uint8Array([...plain, 0])],
  ["a byte too few", "malformed", plain.slice(0, -1)],
  ["more than the limit", "too_large", new Uint8Array(LIMITS.maxCertificateBytes + 1)],
  ["version 1 written out", "malformed", replace(VERSION, version(0))],
  ["version 1 written out, without extensions", "malformed", edit(plain, (f) => [version(0), ...f.slice(1, -1)])],
  ["version 2 with extensions", "malformed", replace(VERSION, version(1))],
  ["version 1 with extensions", "malformed", edit(plain, (fields) => fields.slice(1))],
  ["version 4", "unsupported", replace(VERSION, version(3))],
  [
    "version 1 with identifiers",
    "malformed",
    edit(plain, (f) => [...f.slice(1, -1), element(context(1), Uint8Array.of(0))]),
  ],
  [
    "an identifier that is no BIT STRING",
    "malformed",
    edit(plain, (f) => [version(1), ...f.slice(1, -1), element(context(1), Uint8Array.of(1))]),
  ],
  ["a serial number above the limit", "unsupported", replace(SERIAL, unsigned(new Uint8Array(65).fill(1)))],
  ["a serial number that is not shortest", "malformed", replace(SERIAL, fromHex("02020001"))],
  ["no serial number", "malformed", edit(plain, (fields) => fields.toSpliced(SERIAL, 1))],
  ["another algorithm inside than outside", "malformed", replace(ALGORITHM, sequence(oid("1.3.101.113")))],
  ["no issuer", "malformed", edit(plain, (fields) => fields.toSpliced(ISSUER, 1))],
  ["a huge issuer", "too_large", replace(ISSUER, rawName([["2.5.4.3", STRINGS.utf8("a".repeat(9000))]]))],
  ["a huge subject", "too_large", replace(SUBJECT, rawName([["2.5.4.3", STRINGS.utf8("a".repeat(9000))]]))],
  ["a validity of one time", "malformed", replace(VALIDITY, sequence(time(NOW)))],
  ["a validity of three times", "malformed", replace(VALIDITY, sequence(time(NOW), time(NOW), time(NOW)))],
  ["no key", "malformed", edit(plain, (fields) => fields.toSpliced(SPKI, 1))],
  ["an Ed25519 key of 31 bytes", "malformed", withSpki(sequence(oid("1.3.101.112")), new Uint8Array(31))],
  [
    "an Ed25519 key with parameters",
    "malformed",
    withSpki(sequence(oid("1.3.101.112"), element(TAG.null)), new Uint8Array(32)),
  ],
  ["a point cut off", "malformed", withSpki(ec, new Uint8Array(64).fill(4))],
  ["a point of no form", "malformed", withSpki(ec, new Uint8Array(65).fill(9))],
  ["an RSA key without parameters", "malformed", withSpki(sequence(oid("1.2.840.113549.1.1.1")), sequence())],
  ["an RSA key of one number", "malformed", withSpki(rsa, sequence(unsigned(Uint8Array.of(5))))],
  ["an RSA key of zero", "malformed", withSpki(rsa, sequence(unsigned(Uint8Array.of(0)), unsigned(Uint8Array.of(3))))],
  ["a negative RSA key", "malformed", withSpki(rsa, sequence(fromHex("0201ff"), unsigned(Uint8Array.of(3))))],
  ["an empty list of extensions", "malformed", withExtensions()],
  [
    "an extension twice",
    "malformed",
    withExtensions(extension(basic, true, sequence()), extension(basic, true, sequence())),
  ],
  [
    "an unknown extension twice",
    "malformed",
    withExtensions(extension("1.2.3", false, plain), extension("1.2.3", false, plain)),
  ],
  ["bytes after basicConstraints", "malformed", withExtension(basic, new Uint8Array([...sequence(), 0]))],
  ["a negative pathLen", "malformed", withExtension(basic, sequence(TRUE, fromHex("0201ff")))],
  ["keyUsage that is no BIT STRING", "malformed", withExtension(EXTENSION.keyUsage, sequence())],
  ["no purposes", "malformed", withExtension(EXTENSION.extKeyUsage, sequence())],
  ["a key identifier that is a SEQUENCE", "malformed", withExtension(EXTENSION.subjectKeyId, sequence())],
  [
    "an authority key identifier with more",
    "malformed",
    withExtension(EXTENSION.authorityKeyId, sequence(element(context(3)))),
  ],
  ["no alternative names", "malformed", withExtension(EXTENSION.subjectAltName, sequence())],
  ["a name of no form", "malformed", withExtension(EXTENSION.subjectAltName, sequence(element(context(9))))],
  [
    "a name with a NUL",
    "malformed",
    withExtension(EXTENSION.subjectAltName, sequence(dns("good.example\0.evil.example"))),
  ],
  ["a host name with an umlaut", "malformed", withExtension(EXTENSION.subjectAltName, sequence(dns("\u00fc.example")))],
  ["constraints that constrain nothing", "malformed", withExtension(EXTENSION.nameConstraints, sequence())],
  [
    "an empty list of subtrees",
    "malformed",
    withExtension(EXTENSION.nameConstraints, sequence(element(contextConstructed(0)))),
  ],
  [
    "a subtree with a minimum",
    "malformed",
    withExtension(
      EXTENSION.nameConstraints,
      sequence(element(contextConstructed(0), sequence(dns("a"), element(context(0), Uint8Array.of(1))))),
    ),
  ],
];

for (const [why, code, der] of REFUSED) {
  Deno.test(`readCertificate() answers '${code}' to ${why}`, () => {
    assertThrows(() => readCertificate(der), code);
  });
}

Deno.test("readCertificate() reads unusual serial numbers, so that their certificates can be found and reviewed", () => {
  const cases = [["020100", "00"], ["0201fb", "-05"], ["0202ff7f", "-81"], ["02020080", "80"], [
    "020180",
    "-80",
  ]] as const;
  for (const [der, serial] of cases) assertEquals(readCertificate(replace(SERIAL, fromHex(der))).serial, serial);
  const longest = new Uint8Array(LIMITS.maxSerialBytes).fill(0x7f);
  assertEquals(readCertificate(replace(SERIAL, unsigned(longest))).serial, toHex(longest));
});

Deno.test("readCertificate() reads a certificate that is as long as the limit", async () => {
  const sized = async (length: number) =>
    await build({ serial: Uint8Array.of(1), extensions: [extension("1.2.3.4", false, new Uint8Array(length))] });
  const most = LIMITS.maxCertificateBytes;
  const beside = (await sized(most - 1_000)).length - (most - 1_000);
  const longest = await sized(most - beside);
  assertEquals(longest.length, most);
  assertEquals(readCertificate(longest).der.length, most);
});

Deno.test("readCertificate() reads every printable ASCII character in a host name, and no other", () => {
  const read = (text: string) =>
    readCertificate(withExtension(EXTENSION.subjectAltName, sequence(dns(text)))).subjectAltName;
  assertEquals(read(" a~"), [{ form: "dns", text: " a~" }]);
  for (const text of ["a\x1f", "a\x7f"]) assertThrows(() => read(text), "malformed");
});

Deno.test("readCertificate() reads keys that cannot be used as 'other', and says what they are", () => {
  const cases: [Bytes, string][] = [
    [withSpki(sequence(oid("1.2.3.4")), fromHex("00")), "unknown algorithm 1.2.3.4"],
    [withSpki(sequence(oid("1.3.101.113")), new Uint8Array(57)), "Ed448"],
    [withSpki(sequence(oid("1.2.840.10045.2.1"), sequence()), fromHex("04")), "EC with explicit parameters"],
    [
      withSpki(sequence(oid("1.2.840.10045.2.1"), oid("1.3.132.0.10")), fromHex("04")),
      "EC on unknown curve 1.3.132.0.10",
    ],
    [withSpki(ec, new Uint8Array(33).fill(2)), "EC P-256 in compressed form"],
  ];
  for (const [der, description] of cases) {
    assertEquals(readCertificate(der).publicKey, { kind: "other", description });
  }
});

Deno.test("readCertificate() tells the size of RSA keys to the bit", () => {
  for (const [first, bits] of [[0x80, 2048], [0x7f, 2047], [0x01, 2041]] as const) {
    const modulus = new Uint8Array(256).fill(1).with(0, first);
    const { publicKey } = readCertificate(withSpki(rsa, sequence(unsigned(modulus), unsigned(Uint8Array.of(3)))));
    assert(publicKey.kind === "rsa");
    assertEquals(publicKey.bits, bits);
  }
});

Deno.test("readCertificate() reads an empty name, times in any order, and no extensions at all", () => {
  const empty = readCertificate(replace(SUBJECT, rawName()));
  assertEquals([empty.subject as string, empty.isSelfIssued], ["", false]);
  const never = readCertificate(replace(VALIDITY, sequence(time(NOW), time(NOW - 1000))));
  assert(never.notAfter < never.notBefore);
  const old = readCertificate(edit(plain, (fields) => fields.slice(1, -1)));
  assertEquals([old.version, old.isCa, old.present.length], [1, false, 0]);
  const identified = [element(context(1), Uint8Array.of(0)), element(context(2), Uint8Array.of(0))];
  assertEquals(readCertificate(edit(plain, (f) => [version(1), ...f.slice(1, -1), ...identified])).version, 2);
});

Deno.test("readCertificate() accepts FALSE written out, which DER forbids and authorities do", () => {
  const no = element(TAG.boolean, Uint8Array.of(0));
  const spelled = sequence(oid(basic), no, element(TAG.octetString, sequence(no)));
  const { isCa, unknownCritical } = readCertificate(withExtensions(spelled));
  assertEquals([isCa, unknownCritical.length], [false, 0]);
});

Deno.test("readCertificate() lists critical extensions that are not processed, and policy constraints always", () => {
  const { unknownCritical, present } = readCertificate(withExtensions(
    extension("1.2.3", true, plain),
    extension("1.2.4", false, plain),
    extension(EXTENSION.certificatePolicies, true, plain),
    extension(EXTENSION.policyConstraints, false, plain),
  ));
  assertEquals(unknownCritical, ["1.2.3", EXTENSION.policyConstraints]);
  assertEquals(present.length, 4);
});

Deno.test("readCertificate() keeps key identifiers, also when one is missing", async () => {
  const { subjectKeyId, authorityKeyId } = readCertificate(await build({ extensions: keyIds("sub", "auth") }));
  assertEquals([subjectKeyId, authorityKeyId], [utf8("sub"), utf8("auth")]);
  const issuerOnly = sequence(
    element(contextConstructed(1), element(context(2))),
    element(context(2), Uint8Array.of(1)),
  );
  assertEquals(readCertificate(withExtension(EXTENSION.authorityKeyId, issuerOnly)).authorityKeyId, undefined);
});

Deno.test("readCertificate() knows a certificate by its bytes, and a name by its meaning", async () => {
  const a = readCertificate(await build({ subject: "CN=Some  One", issuer: "CN=some one" }));
  assert(a.isSelfIssued);
  assert(!equalBytes(a.fingerprint, readCertificate(await build({ subject: "CN=Some  One" })).fingerprint));
});

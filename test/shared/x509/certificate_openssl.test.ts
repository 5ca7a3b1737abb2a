/** Certificates that the OpenSSL command line made, ordinary and odd, read as OpenSSL itself reads them. */
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import { parseDn } from "../../../shared/x509/dn_parse.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

const KEYS: Readonly<Record<string, readonly [args: readonly string[], description: string]>> = {
  rsa: [["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA 2048"],
  pss: [["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA-PSS 2048"],
  p256: [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "EC P-256"],
  p384: [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "EC P-384"],
  p521: [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "EC P-521"],
  explicit: [
    ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
    "EC with explicit parameters",
  ],
  brainpool: [
    ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
    "EC on unknown curve 1.3.36.3.3.2.8.1.1.7",
  ],
  ed25519: [["-algorithm", "ED25519"], "Ed25519"],
  ed448: [["-algorithm", "ED448"], "Ed448"],
};

const DER = ["-outform", "DER", "-out", "x.der"];

/** What OpenSSL prints for one option, behind the "=". */
async function printed(folder: OpensslFolder, ...options: readonly string[]): Promise<string> {
  const text = await folder.run("x509", "-inform", "DER", "-in", "x.der", "-noout", ...options);
  return text.slice(text.indexOf("=") + 1).trim();
}

withOpenssl.test("readCertificate() reads OpenSSL's certificates of every kind of key", async () => {
  await using folder = await OpensslFolder.make();
  for (const [name, [args, description]] of Object.entries(KEYS)) {
    await folder.run("genpkey", ...args, "-out", "key");
    await folder.run("req", "-x509", "-new", "-key", "key", "-subj", `/C=DE/CN=${name}`, "-days", "30", ...DER);
    const certificate = readCertificate(await folder.read("x.der"));
    assertEquals(certificate.publicKey.description, description);
    assertEquals(
      toHex(certificate.fingerprint),
      (await printed(folder, "-fingerprint", "-sha256")).replaceAll(":", "").toLowerCase(),
    );
    assertEquals(certificate.serial, (await printed(folder, "-serial")).toLowerCase());
    assertEquals(certificate.notBefore, Date.parse(await printed(folder, "-startdate")));
    assertEquals(certificate.notAfter, Date.parse(await printed(folder, "-enddate")));
    await folder.run("pkey", "-in", "key", "-pubout", "-outform", "DER", "-out", "spki");
    assertEquals(toHex(certificate.spki), toHex(await folder.read("spki")));
    assert(certificate.isCa && certificate.isSelfIssued);
  }
});

withOpenssl.test("readCertificate() reads the extensions that OpenSSL wrote", async () => {
  await using folder = await OpensslFolder.make();
  await folder.run("genpkey", "-algorithm", "ED25519", "-out", "key");
  const extensions = [
    "basicConstraints=critical,CA:TRUE,pathlen:3",
    "keyUsage=critical,digitalSignature,keyCertSign,decipherOnly",
    "extendedKeyUsage=clientAuth,1.2.3.4",
    "subjectKeyIdentifier=01020304",
    "subjectAltName=DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,email:ann@example.org,URI:https://x/,RID:1.2.3,otherName:1.2.3;UTF8:x",
    "nameConstraints=critical,permitted;DNS:.example,permitted;IP:10.0.0.0/255.0.0.0,excluded;email:example.com",
    "1.2.3.4=critical,ASN1:NULL",
  ];
  const added = extensions.flatMap((text) => ["-addext", text]);
  await folder.write("config", "[req]\ndistinguished_name=dn\n[dn]\n");
  await folder.run("req", "-config", "config", "-x509", "-new", "-key", "key", "-subj", "/CN=x", ...added, ...DER);
  const found = readCertificate(await folder.read("x.der"));
  assertEquals([found.isCa, found.pathLen], [true, 3]);
  assertEquals(found.keyUsage, KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign | KEY_USAGE.decipherOnly);
  assertEquals(found.extKeyUsage, [PURPOSE.clientAuth, "1.2.3.4"]);
  assertEquals(found.subjectKeyId, Uint8Array.of(1, 2, 3, 4));
  assertEquals(found.subjectAltName?.map(({ form }) => form), ["dns", "ip", "ip", "email", "uri", "other", "other"]);
  assertEquals(found.nameConstraints?.permitted?.map(({ form }) => form), ["dns", "ip"]);
  assertEquals(found.nameConstraints?.excluded, [{ form: "email", text: "example.com" }]);
  assertEquals(found.unknownCritical, ["1.2.3.4"]);
});

withOpenssl.test("readCertificate() reads what OpenSSL lets through: negative serials, long ones, odd strings", async () => {
  await using folder = await OpensslFolder.make();
  await folder.run("genpkey", "-algorithm", "ED25519", "-out", "key");
  const make = async (...options: readonly string[]) => {
    await folder.run("req", "-x509", "-new", "-key", "key", ...options, ...DER);
    return readCertificate(await folder.read("x.der"));
  };
  const serials = [["-5", "-05"], ["0", "00"], ["-0x80", "-80"], [`0x${"7f".repeat(30)}`, "7f".repeat(30)]] as const;
  for (const [set, serial] of serials) {
    assertEquals((await make("-subj", "/CN=x", "-set_serial", set)).serial, serial);
    assertEquals((await printed(folder, "-serial")).toLowerCase(), serial);
  }
  // Each mask leaves one string type that can hold the name.
  const tags: number[] = [];
  for (const mask of ["utf8only", "MASK:0x0800", "MASK:0x0004"]) {
    await folder.write("config", `[req]\nstring_mask=${mask}\ndistinguished_name=dn\n[dn]\n`);
    const { subject, subjectName } = await make("-config", "config", "-utf8", "-subj", "/O=Zo\u00eb  &  Co/CN=x");
    assertEquals(subject, parseDn("CN=x,O=ZO\u00cb & co"), mask);
    tags.push(subjectName[0]?.[0]?.der[0] ?? 0);
  }
  assertEquals(tags, [0x0c, 0x1e, 0x14]);
});

withOpenssl.test("readCertificate() refuses what is too large, though OpenSSL made it", async () => {
  await using folder = await OpensslFolder.make();
  await folder.run("genpkey", "-algorithm", "ED25519", "-out", "key");
  const cases: [options: string[], code: ErrorCode][] = [
    [["-subj", `/CN=x${"/OU=department of names".repeat(400)}`], "too_large"],
    [["-subj", "/CN=x", "-addext", `1.2.3.4=ASN1:UTF8:${"x".repeat(66_000)}`], "too_large"],
    [["-subj", "/CN=x", "-set_serial", `0x${"7f".repeat(65)}`], "unsupported"],
  ];
  for (const [options, code] of cases) {
    await folder.run("req", "-x509", "-new", "-key", "key", ...options, ...DER);
    const der = await folder.read("x.der");
    assertThrows(() => readCertificate(der), code);
  }
});

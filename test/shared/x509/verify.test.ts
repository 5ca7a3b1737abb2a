/** Signatures of certificates that OpenSSL made, in every algorithm that is accepted and in some that are not. */
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { type Certificate, readCertificate } from "../../../shared/x509/certificate.ts";
import { readAlgorithm } from "../../../shared/der/algorithm.ts";
import { DerReader, TAG } from "../../../shared/der/read.ts";
import { element, octetBits, oid, sequence } from "../../../shared/der/write.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { SIGNATURE_OID, signatureScheme } from "../../../shared/x509/signature_scheme.ts";
import { type SignatureOutcome, verifyCertificate, verifySigned } from "../../../shared/x509/verify.ts";
import { build, type Key, newKey } from "./builder.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

const KEYS: Readonly<Record<string, readonly string[]>> = {
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  short: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1536"],
  three: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
  pss: ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
  bound: [
    ...["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha384"],
    ...["-pkeyopt", "rsa_pss_keygen_mgf1_md:sha384", "-pkeyopt", "rsa_pss_keygen_saltlen:48"],
  ],
  p256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
  k256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
  ed25519: ["-algorithm", "ED25519"],
  ed448: ["-algorithm", "ED448"],
};

const pss = (salt: string, mask: string) => [
  ...["-sigopt", "rsa_padding_mode:pss", "-sigopt", `rsa_pss_saltlen:${salt}`, "-sigopt", `rsa_mgf1_md:${mask}`],
];

type Case = readonly [key: string, options: readonly string[], expected: "ok" | "unsupported"];

const CASES: readonly Case[] = [
  ...["sha256", "sha384", "sha512"].flatMap((hash): Case[] => [
    ["rsa", [`-${hash}`], "ok"],
    ["p256", [`-${hash}`], "ok"],
    ["p384", [`-${hash}`], "ok"],
    ["p521", [`-${hash}`], "ok"],
    ["rsa", [`-${hash}`, ...pss("digest", hash)], "ok"],
  ]),
  ["three", ["-sha256"], "ok"],
  ["pss", ["-sha256", ...pss("digest", "sha256")], "ok"],
  ["bound", ["-sha384", ...pss("digest", "sha384")], "ok"],
  ["ed25519", [], "ok"],
  ["rsa", ["-sha1"], "unsupported"],
  ["rsa", ["-md5"], "unsupported"],
  ["rsa", ["-sha224"], "unsupported"],
  ["p256", ["-sha1"], "unsupported"],
  ["rsa", ["-sha256", ...pss("20", "sha256")], "unsupported"],
  ["rsa", ["-sha256", ...pss("40", "sha256")], "ok"],
  ["rsa", ["-sha256", ...pss("max", "sha256")], "ok"],
  ["rsa", ["-sha256", ...pss("digest", "sha384")], "unsupported"],
  ["rsa", ["-sha256", ...pss("digest", "sha1")], "unsupported"],
  ["rsa", ["-sha1", ...pss("digest", "sha1")], "unsupported"],
  ["short", ["-sha256"], "unsupported"],
  ["k256", ["-sha256"], "unsupported"],
  ["ed448", [], "unsupported"],
];

const outcome = async (certificate: Certificate, issuer: Certificate) =>
  word(await verifyCertificate(certificate, issuer.publicKey));
const word = (result: SignatureOutcome) => result.ok ? "ok" : result.code;

let made: Promise<Key> | undefined;

/** Made when first asked for: RSA keys take a while. */
function rsaKey(): Promise<Key> {
  return made ??= newKey("PS256");
}

/** The certificate with another signature. */
function resigned({ tbs, signatureAlgorithm }: Certificate, signature: Bytes): Certificate {
  return readCertificate(sequence(tbs, signatureAlgorithm.der, octetBits(signature)));
}

withOpenssl.test("verifyCertificate() accepts what OpenSSL signed, refuses it when changed, and relies on nothing weak", async () => {
  await using folder = await OpensslFolder.make();
  await Promise.all(
    Object.entries(KEYS).map(([name, args]) => folder.run("genpkey", ...args, "-out", `${name}.key`)),
  );
  const read: Certificate[] = [];
  for (const [i, [key, options, expected]] of CASES.entries()) {
    const out = ["-outform", "DER", "-out", `${i}.der`];
    await folder.run(
      "req",
      "-x509",
      "-new",
      "-subj",
      "/CN=x",
      "-days",
      "9",
      "-key",
      `${key}.key`,
      ...options,
      ...out,
    );
    const certificate = readCertificate(await folder.read(`${i}.der`));
    const what = `${key} ${options.join(" ")}`;
    assertEquals(await outcome(certificate, certificate), expected, what);
    read.push(certificate);
    if (expected !== "ok") continue;
    const { signature } = certificate;
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const changed = resigned(certificate, signature.with(at, (signature[at] ?? 0) ^ 1));
      assertEquals(await outcome(changed, certificate), "tampered", `${what}, byte ${at}`);
    }
    for (const wrong of [signature.slice(1), new Uint8Array([...signature, 0]), new Uint8Array(0)]) {
      assertEquals(await outcome(resigned(certificate, wrong), certificate), "tampered", what);
    }
  }
  const good = read.filter((_, i) => CASES[i]?.[2] === "ok");
  for (const certificate of good) {
    for (const other of good) {
      if (other.spki.toString() === certificate.spki.toString()) continue;
      assertEquals(await outcome(certificate, other), "tampered");
    }
  }
});

withOpenssl.test("verifyCertificate() refuses PKCS#1 v1.5 by a key that is for RSASSA-PSS, and PSS beside its parameters", async () => {
  await using folder = await OpensslFolder.make();
  await folder.run("genpkey", ...KEYS["bound"] ?? [], "-out", "bound.key");
  await folder.run(
    "req",
    "-x509",
    "-new",
    "-subj",
    "/CN=x",
    "-key",
    "bound.key",
    "-sha384",
    "-outform",
    "DER",
    "-out",
    "b.der",
  );
  const { publicKey } = readCertificate(await folder.read("b.der"));
  assert(publicKey.kind === "rsa" && publicKey.pss !== undefined);
  const bound = publicKey.pss;
  const sha256 = readCertificate(await build({ key: await rsaKey() }));
  assert(sha256.publicKey.kind === "rsa");
  assertEquals(word(await verifyCertificate(sha256, sha256.publicKey)), "ok");
  assertEquals(word(await verifyCertificate(sha256, { ...sha256.publicKey, pss: bound })), "tampered");
  await folder.run("genpkey", ...KEYS["rsa"] ?? [], "-out", "rsa.key");
  await folder.run(
    "req",
    "-x509",
    "-new",
    "-subj",
    "/CN=x",
    "-key",
    "rsa.key",
    "-sha256",
    "-outform",
    "DER",
    "-out",
    "r.der",
  );
  const pkcs1 = readCertificate(await folder.read("r.der"));
  assert(pkcs1.publicKey.kind === "rsa");
  assertEquals(word(await verifyCertificate(pkcs1, pkcs1.publicKey)), "ok");
  // The shortest salt that the parameters allow is no word for another hash.
  const longer = { bytes: sha256.tbs, signature: sha256.signature };
  const byOther = { kind: "rsa-pss", hash: "SHA-256", saltBytes: 64 } as const;
  const found = await verifySigned({ ...longer, scheme: byOther }, { ...sha256.publicKey, pss: bound }, "test");
  assert(!found.ok && found.message.includes("another algorithm"), JSON.stringify(found));
  for (const pss of [bound, { ...bound, parameters: undefined }]) {
    assertEquals(word(await verifyCertificate(pkcs1, { ...pkcs1.publicKey, pss })), "tampered");
  }
});

Deno.test("verifyCertificate() refuses a key that is no point of its curve", async () => {
  const key = await newKey("ES256");
  const certificate = readCertificate(await build({ key }));
  const { publicKey } = certificate;
  assert(publicKey.kind === "ec");
  assertEquals(word(await verifyCertificate(certificate, publicKey)), "ok");
  const raw = publicKey.raw.with(64, (publicKey.raw[64] ?? 0) ^ 1);
  assertEquals(word(await verifyCertificate(certificate, { ...publicKey, raw })), "tampered");
});

Deno.test("verifySigned() lets the key say of which kind the signature is, whatever the signature says of itself", async () => {
  const bytes = utf8("signed");
  const kinds = [
    { kind: "ed25519" },
    { kind: "ecdsa", hash: "SHA-256" },
    { kind: "rsa-pkcs1", hash: "SHA-256" },
    { kind: "rsa-pss", hash: "SHA-256", saltBytes: 32 },
  ] as const;
  for (const algorithm of ["Ed25519", "ES256", "PS256"] as const) {
    const key = algorithm === "PS256" ? await rsaKey() : await newKey(algorithm);
    const { publicKey, tbs, signature, signatureAlgorithm } = readCertificate(await build({ key }));
    const own = signatureScheme(signatureAlgorithm);
    assert(own !== undefined);
    if (publicKey.kind === "rsa") {
      // The same key, where the signature is one of PKCS#1 v1.5 that calls itself ECDSA.
      const pkcs8 = await crypto.subtle.exportKey("pkcs8", key.pair.privateKey);
      const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      const signing = await crypto.subtle.importKey("pkcs8", pkcs8, rsa, false, ["sign"]);
      const old = new Uint8Array(await crypto.subtle.sign(rsa.name, signing, bytes));
      const judged = async (scheme: typeof kinds[number]) =>
        word(await verifySigned({ bytes, scheme, signature: old }, publicKey, "test"));
      assertEquals(await Promise.all(kinds.map(judged)), ["tampered", "tampered", "ok", "tampered"]);
    }
    for (const scheme of kinds) {
      const expected = scheme.kind === own.kind ? "ok" : "tampered";
      assertEquals(
        word(await verifySigned({ bytes: tbs, scheme, signature }, publicKey, "test")),
        expected,
        scheme.kind,
      );
      assertEquals(word(await verifySigned({ bytes, scheme, signature }, publicKey, "test")), "tampered", scheme.kind);
    }
  }
});

Deno.test("verifySigned() relies on no RSA key with an exponent that is even, one, or long", async () => {
  const { publicKey, tbs: bytes, signature } = readCertificate(await build({ key: await rsaKey() }));
  assert(publicKey.kind === "rsa");
  const scheme = { kind: "rsa-pss", hash: "SHA-256", saltBytes: 32 } as const;
  const longest = new Uint8Array(LIMITS.maxRsaExponentBytes).fill(1);
  const cases = [
    ...[[[1], "unsupported"], [[2], "unsupported"], [[1, 0], "unsupported"], [[1, ...longest], "unsupported"]] as const,
    // These are not this key's exponents.
    ...[[[3], "tampered"], [[1, 1], "tampered"], [[...longest], "tampered"]] as const,
  ];
  for (const [exponent, expected] of cases) {
    const key = { ...publicKey, exponent: Uint8Array.from(exponent) };
    const found = await verifySigned({ bytes, scheme, signature }, key, "test");
    assertEquals(word(found), expected, exponent.join());
    // Whatever the runtime takes.
    assert(found.ok || !found.message.includes("runtime"), exponent.join());
  }
});

Deno.test("verifySigned() answers to RSA keys that the runtime does not take, even ones and large ones, and never throws", async () => {
  const scheme = { kind: "rsa-pkcs1", hash: "SHA-256" } as const;
  for (const [bits, last] of [[2048, 0xfe], [4096, 0xfe], [8192, 0xff], [8192, 0xfe]] as const) {
    const modulus = new Uint8Array(bits / 8).fill(0xff).with(-1, last);
    const exponent = Uint8Array.of(1, 0, 1);
    const key = { kind: "rsa", description: `RSA ${bits}`, bits, modulus, exponent, pss: undefined } as const;
    for (const signature of [new Uint8Array(bits / 8), new Uint8Array(0)]) {
      const found = word(await verifySigned({ bytes: utf8("signed"), scheme, signature }, key, "test"));
      // Whether a runtime takes the large ones is its own affair.
      assert(found === "unsupported" || found === "tampered" && last === 0xff, found);
    }
  }
});

Deno.test("verifyCertificate() takes parameters that are not well made for another's signature", async () => {
  const certificate = readCertificate(await build({ key: await rsaKey() }));
  const algorithm = sequence(oid(SIGNATURE_OID.rsaPss), element(TAG.octetString));
  const signatureAlgorithm = readAlgorithm(new DerReader(algorithm, "test").expect(TAG.sequence, "test"), "test");
  assertEquals(await outcome({ ...certificate, signatureAlgorithm }, certificate), "tampered");
});

Deno.test("verifyCertificate() agrees with the runtime about every root that signed itself", async () => {
  let verified = 0;
  for (const { bytes } of rootCertificates.flatMap((text) => readPem(text))) {
    const root = readCertificate(bytes);
    const found = await outcome(root, root);
    const node = new X509Certificate(bytes);
    if (found === "unsupported") assertEquals(root.signatureAlgorithm.oid, "1.2.840.113549.1.1.5", "only SHA-1");
    else assertEquals(found === "ok", node.verify(node.publicKey), root.subject);
    if (found === "ok") verified++;
  }
  assert(verified > 80, `only ${verified} verified`);
});

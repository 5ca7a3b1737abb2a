import { join } from "node:path";
import fc from "fast-check";
import { exportPrivateKey, importPrivateKey } from "../../../manager/keys/export.ts";
import { passphraseOf } from "../../../manager/keys/passphrase.ts";
import { encryptPbes2 } from "../../../manager/keys/pbes2.ts";
import { readPrivateKeyInfo, xwingPrivateKeyInfo, xwingSeedOf } from "../../../manager/keys/private_key_info.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import {
  exportPkcs8,
  exportSpki,
  generateSigningKey,
  type SignatureAlgorithm,
} from "../../../shared/crypto/signature.ts";
import { importXWingSeed } from "../../../shared/crypto/xwing.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { TAG } from "../../../shared/der/read.ts";
import { element, oid, sequence, unsigned } from "../../../shared/der/write.ts";
import { readPem, writePem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { run, withFolder } from "../files/children.ts";

const PASSPHRASE = passphraseOf("Paßwort mit Leerzeichen");
const openssl = needs("openssl");

const KINDS: Readonly<Record<SignatureAlgorithm, string>> = {
  Ed25519: "Ed25519",
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
  PS256: "RSA",
};
const ALGORITHMS = Object.keys(KINDS) as SignatureAlgorithm[];

async function newSigningKey(algorithm: SignatureAlgorithm): Promise<{ pkcs8: Bytes; spki: Bytes }> {
  const { privateKey, publicKey } = await generateSigningKey(algorithm, true);
  return { pkcs8: await exportPkcs8(privateKey), spki: await exportSpki(publicKey) };
}

/** An export without the cost of 600,000 iterations. */
async function quickExport(pkcs8: Bytes, passphrase = PASSPHRASE): Promise<string> {
  const parameters = { salt: webCryptoRandom(16), iterations: LIMITS.minPbkdf2Iterations, iv: webCryptoRandom(16) };
  return writePem("ENCRYPTED PRIVATE KEY", await encryptPbes2(pkcs8, utf8(reveal(passphrase)), parameters));
}

openssl.test("exportPrivateKey() writes what openssl pkey opens, for each kind of signing key", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key.pem");
    for (const algorithm of ALGORITHMS) {
      const { pkcs8, spki } = await newSigningKey(algorithm);
      // All 600,000 iterations once: each kind of key goes through the same encryption.
      const isFull = algorithm === "Ed25519";
      const pem = isFull
        ? await exportPrivateKey(new Redacted(pkcs8), PASSPHRASE, webCryptoRandom)
        : await quickExport(pkcs8);
      await Deno.writeTextFile(path, pem);
      const opened = await run("openssl", "pkey", "-in", path, "-passin", `pass:${reveal(PASSPHRASE)}`, "-pubout");
      assertEquals(opened.out.trim(), writePem("PUBLIC KEY", spki).trim(), algorithm);
      assert((await run("openssl", "pkey", "-in", path, "-passin", "pass:wrong")).code !== 0);
      const parsed = await run("openssl", "asn1parse", "-in", path);
      const iterations = isFull ? "0927C0" : LIMITS.minPbkdf2Iterations.toString(16).toUpperCase();
      for (const part of ["PBES2", "PBKDF2", iterations, "hmacWithSHA256", "aes-256-cbc"]) {
        assert(parsed.out.includes(part), parsed.out);
      }
      const imported = await importPrivateKey(pem, PASSPHRASE);
      assertEquals([imported.kind, reveal(imported.pkcs8), imported.publicKey], [KINDS[algorithm], pkcs8, spki]);
    }
  }));

openssl.test("importPrivateKey() opens what openssl writes, for each kind of signing key", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key.pem");
    const generators: [string, string[]][] = [
      ["Ed25519", ["-algorithm", "ed25519"]],
      ["P-256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]],
      ["P-384", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]],
      ["P-521", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]],
      ["RSA", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]],
    ];
    const pass = `pass:${reveal(PASSPHRASE)}`;
    for (const [kind, generator] of generators) {
      assertEquals(
        (await run("openssl", "genpkey", ...generator, "-aes-256-cbc", "-pass", pass, "-out", path)).code,
        0,
      );
      const imported = await importPrivateKey(await Deno.readTextFile(path), PASSPHRASE);
      const publicKey = await run("openssl", "pkey", "-in", path, "-passin", pass, "-pubout");
      assertEquals([imported.kind, writePem("PUBLIC KEY", imported.publicKey)], [
        kind,
        publicKey.out.replace(/^[^-]*/, ""),
      ]);
    }
    for (const prf of ["hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512"]) {
      const converted = await run(
        ...["openssl", "pkcs8", "-topk8", "-in", path, "-passin", pass, "-passout", pass] as const,
        ...["-v2", "aes-256-cbc", "-v2prf", prf, "-iter", "5000"],
      );
      assertEquals((await importPrivateKey(converted.out, PASSPHRASE)).kind, "RSA", prf);
    }
  }));

openssl.test("importPrivateKey() says unsupported, and how to convert, for other ways to encrypt", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key.pem");
    await run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path);
    const ways = [["-v2", "aes-128-cbc"], ["-v2", "des3"], ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"], [
      "-scrypt",
    ], ["-v2", "aes-256-cbc", "-iter", "999"]];
    for (const way of ways) {
      const converted = await run("openssl", "pkcs8", "-topk8", "-in", path, "-passout", "pass:x", ...way);
      const error = await assertRejects(() => importPrivateKey(converted.out, passphraseOf("x")), "unsupported");
      assert(error.message.includes("openssl pkcs8 -topk8"), error.message);
    }
    const plain = await Deno.readTextFile(path);
    await assertRejects(() => importPrivateKey(plain, passphraseOf("x")), "unsupported");
    const traditional = await run("openssl", "ec", "-in", path, "-aes256", "-passout", "pass:x");
    const pem = traditional.out.slice(traditional.out.indexOf("-----BEGIN"));
    await assertRejects(() => importPrivateKey(pem, passphraseOf("x")), "unsupported");
    for (
      const [algorithm, ...options] of [["ed448"], ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], [
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:1024",
      ]]
    ) {
      const other = await run(
        "openssl",
        "genpkey",
        "-algorithm",
        algorithm ?? "",
        ...options,
        "-aes-256-cbc",
        "-pass",
        "pass:x",
      );
      const block = other.out.slice(other.out.indexOf("-----BEGIN"));
      await assertRejects(() => importPrivateKey(block, passphraseOf("x")), "unsupported");
    }
  }));

Deno.test("exportPrivateKey() takes X-Wing seeds in the draft's own form, and gives them back with their public key", async () => {
  const seed = webCryptoRandom(32);
  const info = xwingPrivateKeyInfo(seed);
  assertEquals(info.toHex(), `3034020100300d060b2b0601040183e62d81c87a0420${seed.toHex()}`);
  const imported = await importPrivateKey(
    await exportPrivateKey(new Redacted(info), PASSPHRASE, webCryptoRandom),
    PASSPHRASE,
  );
  assertEquals(imported.kind, "X-Wing");
  assertEquals(xwingSeedOf(reveal(imported.pkcs8)), seed);
  assertEquals(imported.publicKey, (await importXWingSeed(seed)).publicKey);
  assertThrows(() => xwingPrivateKeyInfo(seed.slice(1)), "unsupported");
  const { pkcs8 } = await newSigningKey("Ed25519");
  assertThrows(() => xwingSeedOf(pkcs8), "unsupported");
});

Deno.test("exportPrivateKey() refuses what is no private key, and never writes the same twice", async () => {
  const { pkcs8, spki } = await newSigningKey("Ed25519");
  for (const bytes of [new Uint8Array(0), webCryptoRandom(32), spki, pkcs8.slice(0, -1)]) {
    await assertRejects(() => exportPrivateKey(new Redacted(bytes), PASSPHRASE, webCryptoRandom), "malformed");
  }
  assert(await quickExport(pkcs8) !== await quickExport(pkcs8));
});

Deno.test("importPrivateKey() says wrong_key for each of many wrong passphrases, by padding or by content", async () => {
  const { pkcs8 } = await newSigningKey("Ed25519");
  const pem = await quickExport(pkcs8);
  // One in 256 passes the padding; of 1,500 some do, so that the check behind it is needed to get through this.
  for (let i = 0; i < 1_500; i++) {
    const error = await assertRejects(() => importPrivateKey(pem, passphraseOf(`wrong ${i}`)), "wrong_key");
    assert(!error.message.includes(`wrong ${i}`));
  }
});

Deno.test("importPrivateKey() gives a typed error or a key with another public key when any byte is changed", async () => {
  const { pkcs8, spki } = await newSigningKey("Ed25519");
  const [block] = readPem(await quickExport(pkcs8));
  assert(block);
  for (let at = 0; at < block.bytes.length; at++) {
    const changed = block.bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    try {
      const { publicKey } = await importPrivateKey(writePem(block.label, changed), PASSPHRASE);
      assert(publicKey.toHex() !== spki.toHex(), `byte ${at} does not count`);
    } catch (error) {
      assert(
        isPosternError(error) && ["wrong_key", "malformed", "unsupported"].includes(error.code),
        `byte ${at}: ${error}`,
      );
    }
  }
});

Deno.test("importPrivateKey() refuses files of another form, before it derives anything", async () => {
  const { pkcs8 } = await newSigningKey("Ed25519");
  const pem = await quickExport(pkcs8);
  const certificate = writePem("CERTIFICATE", pkcs8);
  const cases: [string, "malformed" | "too_large" | "unsupported"][] = [
    ["", "malformed"],
    ["no PEM at all", "malformed"],
    [certificate, "malformed"],
    [pem + pem, "malformed"],
    [pem + certificate, "malformed"],
    [pem.replace("-----END", "-----FIN"), "malformed"],
    [writePem("ENCRYPTED PRIVATE KEY", pkcs8), "malformed"],
    [writePem("PRIVATE KEY", pkcs8), "unsupported"],
    [pem + " ".repeat(LIMITS.maxPrivateKeyPemBytes), "too_large"],
  ];
  for (const [text, code] of cases) await assertRejects(() => importPrivateKey(text, PASSPHRASE), code);
});

Deno.test("importPrivateKey() refuses parameters of PBES2 that are out of bounds, before it derives anything", async () => {
  const octets = (length: number) => element(TAG.octetString, new Uint8Array(length).fill(1));
  const integer = (value: number) => unsigned(Uint8Array.of(value >> 24, value >> 16, value >> 8, value));
  const nothing = element(TAG.null, new Uint8Array(0));
  const info = (salt: Bytes, count: number, iv: Bytes, ...options: Bytes[]): string => {
    const hash = sequence(oid("1.2.840.113549.2.9"), nothing);
    const derivation = sequence(oid("1.2.840.113549.1.5.12"), sequence(salt, integer(count), ...options, hash));
    const cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), iv);
    const scheme = sequence(oid("1.2.840.113549.1.5.13"), sequence(derivation, cipher));
    return writePem("ENCRYPTED PRIVATE KEY", sequence(scheme, octets(64)));
  };
  const cases: [string, "malformed" | "unsupported" | "wrong_key"][] = [
    [info(octets(8), LIMITS.minPbkdf2Iterations, octets(16)), "wrong_key"],
    [info(octets(64), LIMITS.minPbkdf2Iterations, octets(16), integer(32)), "wrong_key"],
    [info(octets(8), LIMITS.minPbkdf2Iterations - 1, octets(16)), "unsupported"],
    [info(octets(8), LIMITS.maxPbkdf2Iterations + 1, octets(16)), "unsupported"],
    [info(octets(8), 2_000_000_000, octets(16)), "unsupported"],
    [info(octets(7), 1_000, octets(16)), "unsupported"],
    [info(octets(65), 1_000, octets(16)), "unsupported"],
    [info(nothing, 1_000, octets(16)), "unsupported"],
    [info(octets(8), 1_000, octets(15)), "malformed"],
    [info(octets(8), 1_000, nothing), "malformed"],
    [info(octets(8), 1_000, octets(16), integer(16)), "malformed"],
  ];
  // Two thousand million rounds would never end: that the answer comes at all says that they were refused first.
  for (const [pem, code] of cases) await assertRejects(() => importPrivateKey(pem, PASSPHRASE), code);
});

Deno.test("readPrivateKeyInfo() takes any bytes and throws typed errors alone", async () => {
  const { pkcs8 } = await newSigningKey("ES256");
  assertEquals(readPrivateKeyInfo(pkcs8).kind, "P-256");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), fc.nat(255), (noise, position, byte) => {
    const changed = pkcs8.slice();
    changed[position % changed.length] = byte;
    for (const bytes of [new Uint8Array(noise), changed]) {
      try {
        readPrivateKeyInfo(bytes);
      } catch (error) {
        assert(isPosternError(error, "malformed") || isPosternError(error, "unsupported"), String(error));
      }
    }
  }));
});

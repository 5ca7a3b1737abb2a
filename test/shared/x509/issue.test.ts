import { assert, assertEquals, assertRejects } from "../../assert.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { type RandomBytes, webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { SignatureAlgorithm } from "../../../shared/crypto/signature.ts";
import { displayDn } from "../../../shared/x509/dn.ts";
import { KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import { bySubject, findPath } from "../../../shared/x509/chain.ts";
import { issueDevice, issueRoot } from "../../../shared/x509/issue.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { verifyCertificate } from "../../../shared/x509/verify.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import { authority, DAY, holder, type Key, newKey, NOW } from "./builder.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

const ALGORITHMS: readonly SignatureAlgorithm[] = ["Ed25519", "ES256", "ES384", "ES512", "PS256"];
const validity = { notBefore: NOW, notAfter: NOW + 365 * DAY };
const keys = await Promise.all(ALGORITHMS.map(newKey));
const [key = await newKey(), otherKey = await newKey()] = keys;

const root = (from: Key, random: RandomBytes = webCryptoRandom) =>
  issueRoot(cryptoKeySigner(from.pair.privateKey), from.spki, validity, random);

withOpenssl.test("issueRoot() and issueDevice() make what OpenSSL accepts, with every kind of key", async () => {
  await using folder = await OpensslFolder.make();
  for (const [i, rootKey] of keys.entries()) {
    const issuer = await root(rootKey);
    await folder.write("root.pem", writePem("CERTIFICATE", issuer.der));
    // In a circle, so that each algorithm signs a key of another.
    const deviceKey = keys[(i + 1) % keys.length] ?? key;
    const device = await issueDevice(
      issuer,
      cryptoKeySigner(rootKey.pair.privateKey),
      deviceKey.spki,
      validity,
      webCryptoRandom,
    );
    await folder.write("device.pem", writePem("CERTIFICATE", device.der));
    const at = ["-attime", String(NOW / 1000), "-x509_strict", "-check_ss_sig", "-CAfile", "root.pem"];
    assert((await folder.run("verify", ...at, "root.pem")).endsWith(": OK\n"));
    assert((await folder.run("verify", ...at, "-purpose", "sslclient", "device.pem")).endsWith(": OK\n"));
    assert(!(await folder.try("verify", ...at, "-purpose", "sslserver", "device.pem")).success);
    await folder.write("self.pem", writePem("CERTIFICATE", (await root(deviceKey)).der));
    assert(!(await folder.try("verify", ...at, "self.pem")).success);
  }
});

Deno.test("issueRoot() makes an authority that may issue devices and no authorities", async () => {
  const issuer = await root(key);
  assertEquals([issuer.isCa, issuer.pathLen, issuer.isSelfIssued, issuer.version], [true, 0, true, 3]);
  assertEquals(issuer.keyUsage, KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign);
  assertEquals([issuer.notBefore, issuer.notAfter], [validity.notBefore, validity.notAfter]);
  assertEquals((await verifyCertificate(issuer, issuer.publicKey)).ok, true);
});

Deno.test("issueDevice() makes a certificate for clients, whose key may do what its kind can", async () => {
  const issuer = await root(key);
  const signs = KEY_USAGE.digitalSignature;
  const agrees = signs | KEY_USAGE.keyAgreement;
  const expected = [signs, agrees, agrees, agrees, signs | KEY_USAGE.keyEncipherment];
  for (const [i, { spki }] of keys.entries()) {
    const device = await issueDevice(issuer, cryptoKeySigner(key.pair.privateKey), spki, validity, webCryptoRandom);
    assertEquals([device.isCa, device.keyUsage, device.extKeyUsage], [false, expected[i], [PURPOSE.clientAuth]]);
    assertEquals([device.issuer, device.authorityKeyId, device.spki], [issuer.subject, issuer.subjectKeyId, spki]);
    const options = { anchors: bySubject([issuer]), candidates: () => [], now: NOW, purpose: PURPOSE.clientAuth };
    assertEquals((await findPath(device, options)).ok, true);
  }
});

Deno.test("issueRoot() and issueDevice() give pseudonyms and positive serial numbers of 128 bits (spec: PAIR-04)", async () => {
  const seen = new Set<string>();
  const issuer = await root(key);
  for (let i = 0; i < 20; i++) {
    const device = await issueDevice(
      issuer,
      cryptoKeySigner(key.pair.privateKey),
      otherKey.spki,
      validity,
      webCryptoRandom,
    );
    const name = displayDn(device.subjectName);
    assert(/^CN=[0-9a-f]{32}$/.test(name), name);
    assert(/^[89a-f][0-9a-f]{31}$/.test(device.serial), device.serial);
    seen.add(name).add(device.serial);
  }
  assertEquals(seen.size, 40);
});

Deno.test("issueRoot() takes all of its randomness from what is handed down", async () => {
  const fixed = (fill: number): RandomBytes => (length): Bytes => new Uint8Array(length).fill(fill);
  const a = await root(key, fixed(0));
  assertEquals(a.serial, `80${"00".repeat(15)}`);
  assertEquals(displayDn(a.subjectName), `CN=${"0".repeat(32)}`);
  // Ed25519 signatures have no randomness of their own.
  assertEquals((await root(key, fixed(0))).der, a.der);
});

Deno.test("issueDevice() refuses an issuer that may not issue", async () => {
  const leaf = await holder({});
  const signer = cryptoKeySigner(leaf.key.pair.privateKey);
  await assertRejects(() => issueDevice(leaf.certificate, signer, key.spki, validity, webCryptoRandom), "usage");
});

Deno.test("issueRoot() and issueDevice() refuse a validity that cannot be", async () => {
  const backwards = { notBefore: NOW, notAfter: NOW - 1000 };
  const signer = cryptoKeySigner(key.pair.privateKey);
  await assertRejects(() => issueRoot(signer, key.spki, backwards, webCryptoRandom), "usage");
  const far = { notBefore: NOW, notAfter: Date.UTC(10_000, 0) };
  await assertRejects(() => issueRoot(signer, key.spki, far, webCryptoRandom), "unsupported");
  const issuer = await root(key);
  for (
    const outside of [backwards, { ...validity, notBefore: NOW - 1000 }, {
      ...validity,
      notAfter: validity.notAfter + 1000,
    }]
  ) {
    await assertRejects(() => issueDevice(issuer, signer, otherKey.spki, outside, webCryptoRandom), "usage");
  }
});

Deno.test("issueDevice() refuses a key that devices do not have", async () => {
  const issuer = await root(key);
  const x25519 = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]) as CryptoKeyPair;
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", x25519.publicKey));
  const signer = cryptoKeySigner(key.pair.privateKey);
  await assertRejects(() => issueDevice(issuer, signer, spki, validity, webCryptoRandom), "unsupported");
  await assertRejects(() => issueDevice(issuer, signer, spki.slice(1), validity, webCryptoRandom), "malformed");
});

Deno.test("issueDevice() writes an issuer's name as the issuer has it, and finds a key identifier where there is none", async () => {
  const odd = await authority("O=Zo\u00eb,CN=a+C=de");
  const validNow = { notBefore: NOW, notAfter: NOW + 1000 };
  const device = await issueDevice(
    odd.certificate,
    cryptoKeySigner(odd.key.pair.privateKey),
    key.spki,
    validNow,
    webCryptoRandom,
  );
  assertEquals(device.issuer, odd.certificate.subject);
  assertEquals(device.authorityKeyId?.length, 20);
});

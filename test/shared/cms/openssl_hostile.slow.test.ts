/** What OpenSSL makes when it is asked for something that is not accepted here: each its typed error. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { type ReleaseTrust, verifyDetached } from "../../../shared/cms/verify.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { readCrlFile } from "../../../shared/x509/crl.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { AUTHORITY, CODE_SIGNING, OpensslPki } from "./openssl_pki.ts";

const withOpenssl = needs("openssl");
const LINE = utf8('{"schema_version":1,"version":"1.2.0"}\n');

async function expect(
  pki: OpensslPki,
  code: ErrorCode,
  signature: Uint8Array<ArrayBuffer>,
  what: string,
  trust: Partial<ReleaseTrust> = {},
) {
  const roots = [await pki.certificate("root")];
  await assertRejects(() => verifyDetached(LINE, signature, { roots, now: Date.now(), ...trust }), code).catch(
    (error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    },
  );
}

withOpenssl.test("verifyDetached() refuses OpenSSL's signatures with MD5 and SHA-1, attached, streamed, bare, or by two (CMS-04, CMS-07)", async () => {
  await using pki = await OpensslPki.make();
  await pki.write("manifest.json", LINE);
  await pki.issue("root", { key: "p256", extensions: AUTHORITY });
  await pki.issue("release", { key: "rsa", by: "root" });
  await pki.issue("second", { key: "p256", by: "root" });
  const cases: readonly (readonly [ErrorCode, ...string[]])[] = [
    ["signature", "-md", "sha1", "-outform", "DER"],
    ["signature", "-md", "md5", "-outform", "DER"],
    ["signature", "-md", "sha224", "-outform", "DER"],
    ["signature", "-md", "sha1"],
    ["signature", "-md", "md5"],
    ["signature", "-signer", "second.pem", "-inkey", "second.key", "-outform", "DER"],
    ["signature", "-signer", "second.pem", "-inkey", "second.key"],
    ["signature", "-nodetach", "-outform", "DER"],
    ["signature", "-nodetach"],
    ["malformed", "-stream", "-outform", "DER"],
    ["signature", "-noattr"],
    ["signature", "-nocerts"],
    ["signature", "-text"],
    ["signature", "-econtent_type", "1.2.3.4", "-outform", "DER"],
    ["signature", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20", "-outform", "DER"],
    ["signature", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1", "-outform", "DER"],
    ["signature", "-certfile", "second.pem"],
  ];
  for (const [code, ...options] of cases) {
    await expect(pki, code, await pki.sign("release", ...options), options.join(" "));
  }
  await pki.run("cms", "-encrypt", "-in", "manifest.json", "-outform", "DER", "-out", "enveloped", "second.pem");
  await expect(pki, "signature", await pki.read("enveloped"), "encrypted");
});

withOpenssl.test("verifyDetached() refuses weak RSA, certificates signed with SHA-1, and those of another purpose (CMS-08, CMS-13, CMS-14)", async () => {
  await using pki = await OpensslPki.make();
  await pki.write("manifest.json", LINE);
  await pki.issue("root", { key: "rsa", extensions: AUTHORITY });
  const cases: readonly (readonly [ErrorCode, string, Parameters<OpensslPki["issue"]>[1]])[] = [
    ["signature", "weak", { key: "weak", by: "root" }],
    ["untrusted", "sha1", { key: "p256", by: "root", options: ["-sha1"] }],
    ["untrusted", "md5", { key: "p256", by: "root", options: ["-md5"] }],
    ["untrusted", "server", { key: "p256", by: "root", extensions: "extendedKeyUsage=serverAuth\n" }],
    ["untrusted", "mail", { key: "p256", by: "root", extensions: "extendedKeyUsage=emailProtection\n" }],
    ["untrusted", "silent", { key: "p256", by: "root", extensions: "basicConstraints=CA:FALSE\n" }],
    ["untrusted", "encipher", {
      key: "rsa",
      by: "root",
      extensions: "keyUsage=keyEncipherment\nextendedKeyUsage=codeSigning\n",
    }],
    ["untrusted", "alone", { key: "p256" }],
    ["untrusted", "policy", { key: "p256", by: "root", extensions: `${CODE_SIGNING}1.2.3.4=critical,ASN1:NULL\n` }],
  ];
  for (const [code, name, issue] of cases) {
    await pki.issue(name, issue);
    await expect(pki, code, await pki.sign(name, "-outform", "DER"), name);
  }
  const alone = await pki.certificate("alone");
  await expect(pki, "untrusted", await pki.sign("alone"), "self-signed, pinned", { roots: [alone] });
});

withOpenssl.test("verifyDetached() knows whom a list of OpenSSL's revokes, in both versions (CMS-17, CMS-20)", async () => {
  await using pki = await OpensslPki.make();
  await pki.write("manifest.json", LINE);
  const root = await pki.issue("root", { key: "p256", extensions: AUTHORITY });
  await pki.issue("release", { key: "p256", by: "root" });
  const signature = await pki.sign("release");
  for (const extensions of ["", "crlnumber=crlnumber\ncrl_extensions=crl\n[crl]\nauthorityKeyIdentifier=keyid\n"]) {
    await pki.write("index.txt", "");
    await pki.write("crlnumber", "1000\n");
    await pki.write(
      "ca.cnf",
      `[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ndefault_md=sha256\n${extensions}`,
    );
    const config = ["ca", "-config", "ca.cnf", "-keyfile", "root.key", "-cert", "root.pem"];
    const list = async () => {
      await pki.run(...config, "-gencrl", "-crldays", "2", "-out", "root.crl");
      const crls = readCrlFile(await pki.read("root.crl"));
      assertEquals(crls.map(({ number }) => number !== undefined), [extensions !== ""]);
      return { roots: [root], crls, requireCrl: true, now: Date.now() };
    };
    const first = await list();
    assertEquals((await verifyDetached(LINE, signature, first)).crls.length, 1);
    await expect(pki, "stale", signature, "out of date", { ...first, now: Date.now() + 3 * 86_400_000 });
    await pki.run(...config, "-revoke", "release.pem");
    await expect(pki, "revoked", signature, "revoked", await list());
  }
});

withOpenssl.test("verifyDetached() refuses a change of any byte in OpenSSL's message, and takes none of it on trust (CMS-02)", async () => {
  await using pki = await OpensslPki.make();
  await pki.write("manifest.json", LINE);
  const root = await pki.issue("root", { key: "p256", extensions: AUTHORITY });
  await pki.issue("release", { key: "p256", by: "root" });
  const message = await pki.sign("release");
  const trust = { roots: [root], now: Date.now() };
  await verifyDetached(LINE, message, trust);
  const body = new TextDecoder().decode(message).indexOf("\n\nMII");
  assert(body > 0);
  for (let bit = 0; bit < message.length * 8; bit++) {
    // Bits of the base64 are those of its DER, of which another test flips each.
    const isBase64 = bit >> 3 > body + 1 && bit >> 3 < message.length - 50;
    if (isBase64 && bit % 61 !== 0) continue;
    const changed = message.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      await verifyDetached(LINE, changed, trust);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      continue;
    }
    assert(false, `accepted with bit ${bit & 7} of byte ${bit >> 3} flipped`);
  }
});

/** Signatures made by OpenSSL are verified here, and those made here by OpenSSL. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import type { Revocation } from "../../../shared/x509/crl.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { assert, assertEquals } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { type Holder, newKey } from "../x509/builder.ts";
import { AUTHORITY, OpensslPki } from "./openssl_pki.ts";
import { certified, NOW, root, signerOf } from "./publisher.ts";

const withOpenssl = needs("openssl");
const LINE = utf8('{"schema_version":1,"version":"1.2.0"}\n');
const PSS = ["-keyopt", "rsa_padding_mode:pss"];

withOpenssl.test("verifyDetached() accepts exactly what the seed's command makes (CMS-02, CMS-12), and every other form", async () => {
  await using pki = await OpensslPki.make();
  const root = await pki.issue("root", { key: "rsa", extensions: AUTHORITY });
  const cases: readonly (readonly [key: string, options: readonly string[]])[] = [
    ...[[], ["-binary"], ["-outform", "DER"], ["-outform", "PEM"], ["-binary", "-outform", "DER"]].map((options) =>
      ["rsa", options] as const
    ),
    ...[["-crlfeol"], ["-keyid"], ["-nosmimecap"], ["-cades"], ["-certfile", "root.pem"]].map((options) =>
      ["rsa", options] as const
    ),
    ["rsa", ["-md", "sha384"]],
    ["rsa", ["-md", "sha512", "-binary", "-outform", "PEM"]],
    ["rsa", PSS],
    ["rsa", [...PSS, "-keyopt", "rsa_pss_saltlen:32", "-outform", "DER"]],
    ["pss", [...PSS, "-outform", "DER"]],
    ...["p256", "p384", "p521"].flatMap((key) => [[key, []], [key, ["-md", "sha512", "-outform", "PEM"]]] as const),
  ];
  const issued = new Set<string>();
  for (const [key, options] of cases) {
    if (!issued.has(key)) await pki.issue(key, { key, by: "root" });
    issued.add(key);
    for (const content of [LINE, LINE.subarray(0, -1)]) {
      await pki.write("manifest.json", content);
      const what = `${key} ${options.join(" ")}`;
      const signature = await pki.sign(key, ...options);
      const signer = await verifyDetached(content, signature, { roots: [root], now: Date.now() }).catch((error) => {
        throw new Error(`${what}: ${error.message}`, { cause: error });
      });
      const outform = options[options.indexOf("-outform") + 1];
      assertEquals(signer.form, options.includes("-outform") ? outform : "SMIME", what);
      assertEquals(signer.mode, content === LINE && !options.includes("-binary") ? "text" : "binary", what);
      assertEquals(signer.path.length, 2);
    }
  }
});

withOpenssl.test("signDetached() makes what OpenSSL verifies, chain and revocation list included (CMS-16)", async () => {
  for (const algorithm of ["ES256", "ES384", "ES512", "PS256"] as const) {
    await using pki = await OpensslPki.make();
    // One key for all three: making RSA keys takes seconds.
    const key = await newKey(algorithm);
    const top = await root(algorithm, { key });
    const middle = await certified("CN=middle,O=Publisher", top, { isCa: true, key });
    const signer = await certified("CN=release,O=Publisher", middle, { key });
    await pki.write("manifest.json", LINE);
    await pki.write("sig.der", await signDetached(LINE, signerOf(signer, algorithm, [middle]), NOW));
    const pem = writePem("CERTIFICATE", top.certificate.der);
    await pki.write("root.pem", pem);
    const listOf = (issuer: Holder, revoked: ReadonlyMap<string, Revocation>) =>
      issueCrl(issuer.certificate, cryptoKeySigner(issuer.key.pair.privateKey), {
        number: 7n,
        thisUpdate: NOW,
        nextUpdate: NOW + 3_600_000,
        revoked,
      });
    const none = [await listOf(top, new Map()), await listOf(middle, new Map())];
    const all = [...none.slice(0, 1), await listOf(middle, revoking(signer))];
    await pki.write("good.pem", pem + none.map(({ der }) => writePem("X509 CRL", der)).join(""));
    await pki.write("bad.pem", pem + all.map(({ der }) => writePem("X509 CRL", der)).join(""));
    const verify = (content: string, roots: string, ...more: string[]) =>
      pki.try(
        ...["cms", "-verify", "-binary", "-inform", "DER", "-in", "sig.der", "-content", content, "-out", "verified"],
        ...["-purpose", "any", "-CAfile", roots, "-attime", `${NOW / 1000}`, ...more],
      );
    const checked = ["-crl_check", "-crl_check_all"];
    const good = "CMS Verification successful";
    assertEquals((await verify("manifest.json", "root.pem")).stderr.trim(), good);
    assertEquals((await verify("manifest.json", "good.pem", ...checked)).stderr.trim(), good);
    assertEquals((await verify("manifest.json", "root.pem", "-cades")).stderr.trim(), "CAdES Verification successful");
    assert((await verify("manifest.json", "bad.pem", ...checked)).stderr.includes("certificate revoked"));
    await pki.write("changed.json", utf8('{"schema_version":1,"version":"1.2.1"}\n'));
    assertEquals((await verify("changed.json", "root.pem")).success, false);
  }
});

function revoking({ certificate }: Holder): ReadonlyMap<string, Revocation> {
  return new Map([[certificate.serial, { at: NOW, reason: "keyCompromise" }]]);
}

/** Keys that OpenSSL made, keys in a SoftHSM token, and the scripts as programs of their own. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { AUTHORITY, OpensslPki } from "../../shared/cms/openssl_pki.ts";
import { needs } from "../../tools/needs.ts";
import { PIN, softHsm, SOFTHSM_LIBRARY } from "../../tools/soft_hsm.ts";
import { Workshop } from "./workshop.ts";

const withOpenssl = needs("openssl");
const withToken = needs("openssl", "softhsm2", "pkcs11js");
const MANIFEST = '{"version":"1.2.0"}\n';
const VERIFY = "verify_manifest --input m.json --signature m.json.sig --root root.pem";
/** What OpenSSL says of a signature of ours. */
const OPENSSL = "cms -verify -binary -inform DER -in m.json.sig -content m.json -CAfile root.pem -purpose any -out out";

/** A folder of both: OpenSSL's certificates, and our scripts at the present time. */
async function workshop(): Promise<{ pki: OpensslPki; shop: Workshop }> {
  const pki = await OpensslPki.make();
  const shop = new Workshop(pki.path);
  await shop.write("m.json", MANIFEST);
  await pki.issue("root", { key: "p256", extensions: AUTHORITY });
  return { pki, shop };
}

const now = () => Date.now() + 2_000;

withOpenssl.test("sign_manifest signs with OpenSSL's keys in every form of file, and OpenSSL verifies it", async () => {
  const { pki, shop } = await workshop();
  await using _ = pki;
  await pki.issue("ec", { key: "p256", by: "root" });
  await pki.issue("rsa", { key: "rsa", by: "root" });
  await pki.run("ec", "-in", "ec.key", "-out", "ec.sec1.key");
  await pki.run("rsa", "-in", "rsa.key", "-traditional", "-out", "rsa.pkcs1.key");
  await shop.write("pass", "correct horse\n");
  const pkcs8 = ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", "100000"];
  await pki.run(...pkcs8, "-passout", "file:pass", "-in", "rsa.key", "-out", "rsa.encrypted.key");
  const signs: readonly string[] = [
    "--cert ec.pem --key ec.key",
    "--cert ec.pem --key ec.sec1.key",
    "--cert rsa.pem --key rsa.key",
    "--cert rsa.pem --key rsa.pkcs1.key --rsa-padding pkcs1",
    "--cert rsa.pem --key rsa.encrypted.key --passphrase-file pass",
  ];
  for (const options of signs) {
    shop.now = now();
    await shop.ok(`sign_manifest --input m.json --output m.json.sig ${options}`);
    await shop.ok(VERIFY);
    assertEquals((await pki.try(...OPENSSL.split(" "))).stderr.trim(), "CMS Verification successful", options);
  }
  // The other way round, by exactly the seed's command.
  await pki.run(..."cms -sign -in m.json -out m.json.sig -signer rsa.pem -inkey rsa.key".split(" "));
  shop.now = now();
  const { json } = await shop.ok(VERIFY);
  assertEquals([json["form"], json["mode"]], ["SMIME", "text"]);
});

withToken.test("sign_manifest signs with keys that never leave a PKCS#11 token", async () => {
  const { pki, shop } = await workshop();
  await using _ = pki;
  using hsm = await softHsm("release");
  await shop.write("pin", `${PIN}\n`);
  await shop.write("wrong", "000111\n");
  const module = `--pkcs11-module ${SOFTHSM_LIBRARY} --pkcs11-token release`;
  const cases = [["rsa", "rsa", "PS256"], ["rsa", "rsa", "RS256"], ["p256", "ec", "ES256"], [
    "ed25519",
    "ed",
    "Ed25519",
  ]];
  for (const [index, [kind = "", label = "", algorithm = ""]] of cases.entries()) {
    if (algorithm !== "RS256") {
      await pki.issue(label, { key: kind, by: "root" });
      await pki.run("pkcs8", "-topk8", "-nocrypt", "-in", `${label}.key`, "-out", `${label}.p8`);
      const args = ["--import", `${pki.path}/${label}.p8`, "--token", "release", "--label", label, "--id", `A${index}`];
      const run = new Deno.Command("softhsm2-util", { args: [...args, "--pin", PIN], env: hsm.env });
      const { success, stderr } = await run.output();
      assert(success, new TextDecoder().decode(stderr));
    }
    const sign = `sign_manifest --input m.json --cert ${label}.pem ${module} --pkcs11-key ${label}`;
    const padding = algorithm === "RS256" ? " --rsa-padding pkcs1" : "";
    shop.now = now();
    const { json, err } = await shop.ok(`${sign} --pin-file pin${padding}`);
    assertEquals([json["algorithm"], err], [algorithm, ""]);
    await shop.ok(VERIFY);
    if (algorithm === "Ed25519") continue;
    assertEquals((await pki.try(...OPENSSL.split(" "))).stderr.trim(), "CMS Verification successful", algorithm);
  }
  const sign = `sign_manifest --input m.json --cert ec.pem ${module}`;
  assertEquals(await shop.code(`${sign} --pkcs11-key ec --pin-file wrong`), "wrong_key");
  assertEquals(await shop.code(`${sign} --pkcs11-key none --pin-file pin`), "not_found");
  assertEquals(await shop.code(`${sign} --pkcs11-key ec`), "usage");
  // Another key than the certificate's: ECDSA by an Ed25519 key is refused by the token or comes to nothing.
  assert(
    ["wrong_key", "unsupported", "storage"].includes(await shop.code(`${sign} --pkcs11-key ed --pin-file pin`) ?? ""),
  );
  // For a key that the token made: its public half in PEM is all that the authority sees.
  await shop.ok("publisher_ca init --root own.pem --root-key own.key --algorithm p256");
  await pki.run("pkey", "-in", "ec.key", "-pubout", "-out", "ec.pub");
  await shop.ok("publisher_ca issue --root own.pem --root-key own.key --cert token.pem --public-key ec.pub");
  await shop.ok(`sign_manifest --input m.json --cert token.pem ${module} --pkcs11-key ec --pin-file pin`);
  await shop.ok(VERIFY.replace("root.pem", "own.pem"));
});

withOpenssl.test("the scripts run as programs, with --help, a line of JSON, and 0 only on success", async () => {
  const { pki, shop } = await workshop();
  await using _ = pki;
  await pki.issue("release", { key: "p256", by: "root" });
  await pki.run(..."cms -sign -in m.json -out m.json.sig -signer release.pem -inkey release.key".split(" "));
  const run = async (script: string, ...args: string[]) => {
    const path = join(PROJECT_ROOT, "scripts", `${script}.ts`);
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", path, ...args],
      cwd: pki.path,
    });
    const { code, stdout } = await command.output();
    return { code, out: new TextDecoder().decode(stdout) };
  };
  const verify = VERIFY.split(" ").slice(1);
  const good = await run("verify_manifest", ...verify, "--json");
  assertEquals([good.code, JSON.parse(good.out).ok, good.out.split("\n").length], [0, true, 2]);
  await shop.write("m.json", MANIFEST.replace("1.2.0", "1.2.1"));
  const bad = await run("verify_manifest", ...verify, "--json");
  assertEquals([bad.code, JSON.parse(bad.out).error.code], [76, "signature"]);
  for (const script of ["sign_manifest", "publisher_ca"]) {
    const { code, out } = await run(script, "--help");
    assertEquals([code, out.startsWith(`Usage: deno run -A scripts/${script}.ts`)], [0, true]);
  }
});

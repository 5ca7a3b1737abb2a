/** A publisher's root, signatures and revocations, by the scripts. */
import { assert, assertEquals } from "../../assert.ts";
import { Workshop } from "./workshop.ts";

const DAY = 86_400_000;
const ISSUE = "publisher_ca issue --root root.pem --root-key root.key";
const VERIFY = "verify_manifest --input m.json --signature m.json.sig --root root.pem";

async function publisher(): Promise<Workshop> {
  const shop = await Workshop.make();
  await shop.ok("publisher_ca init --root root.pem --root-key root.key");
  await shop.ok(`${ISSUE} --cert release.pem --key release.key`);
  await shop.write("m.json", '{"version":"1.2.0"}\n');
  return shop;
}

Deno.test("sign_manifest signs, in both forms, what verify_manifest verifies", async () => {
  await using shop = await publisher();
  for (const form of ["DER", "PEM"]) {
    const sign = "sign_manifest --input m.json --output m.json.sig --cert release.pem --key release.key";
    const { json, err } = await shop.ok(`${sign} --outform ${form}`);
    assertEquals([json["form"], json["algorithm"]], [form, "Ed25519"]);
    assert(err.startsWith("warning: the key in release.key is not encrypted"));
    const verified = (await shop.ok(VERIFY)).json;
    assertEquals([verified["form"], verified["mode"], verified["signedAt"]], [
      form,
      "binary",
      "2026-06-15T12:00:00.000Z",
    ]);
    assertEquals(verified["sha256"], json["sha256"]);
  }
  await shop.write("m.json", '{"version":"1.2.1"}\n');
  assertEquals(await shop.code(VERIFY), "signature");
  await shop.write("m.json.sig", "not a signature");
  assertEquals(await shop.code(VERIFY), "malformed");
  assertEquals(await shop.code(VERIFY.replace("m.json.sig", "none.sig")), "not_found");
});

Deno.test("sign_manifest wants the passphrase of an encrypted key, and the certificate's own key", async () => {
  await using shop = await publisher();
  await shop.write("right", "correct horse\n");
  await shop.write("wrong", "battery staple\n");
  await shop.ok(`${ISSUE} --cert a.pem --key a.key --passphrase-file right`);
  const pem = new TextDecoder().decode(await shop.read("a.key"));
  assert(pem.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  assertEquals(((await Deno.stat(`${shop.path}/a.key`)).mode ?? 0) & 0o777, 0o600);
  const sign = "sign_manifest --input m.json --cert a.pem --key a.key";
  assertEquals(await shop.code(sign), "usage");
  assertEquals(await shop.code(`${sign} --passphrase-file wrong`), "wrong_key");
  const { err } = await shop.ok(`${sign} --passphrase-file right`);
  assertEquals(err, "");
  await shop.ok(VERIFY);
  assertEquals(await shop.code("sign_manifest --input m.json --cert a.pem --key release.key"), "wrong_key");
  await shop.ok(`${ISSUE} --cert b.pem --key b.key --algorithm p256`);
  assertEquals(await shop.code("sign_manifest --input m.json --cert b.pem --key release.key"), "wrong_key");
  assertEquals(await shop.code("sign_manifest --input m.json --cert root.pem --key root.key"), "untrusted");
});

Deno.test("the scripts name what is wrong with their options, and tell it in JSON", async () => {
  await using shop = await publisher();
  const bare = "sign_manifest --input m.json --cert release.pem";
  for (
    const line of [
      bare,
      `${bare} --key release.key --pkcs11-module x`,
      `${bare} --key release.key --rsa-padding pkcs1`,
      `${bare} --key release.key --outform XML`,
      `${bare} --pkcs11-module a --pkcs11-token b --pkcs11-key c`,
      "sign_manifest",
      "verify_manifest --input m.json",
      "publisher_ca issue --root root.pem --root-key root.key --cert c.pem",
      "publisher_ca init --root a.pem --root-key a.key --days 0",
      "publisher_ca init --root a.pem --root-key a.key --algorithm rsa1024",
      "publisher_ca nothing",
    ]
  ) assertEquals([line, await shop.code(line)], [line, "usage"]);
  const help = await shop.run("sign_manifest --help");
  assertEquals(help.exit, 0);
  assert(help.out.includes("--pkcs11-module"));
  await shop.write("cr.json", "{}\r\n");
  assertEquals(await shop.code("sign_manifest --input cr.json --cert release.pem --key release.key"), "malformed");
});

Deno.test({
  name: "sign_manifest says when others can read a key that has no passphrase, and signs",
  ignore: Deno.uid() === null,
  fn: async () => {
    await using shop = await publisher();
    const line = "sign_manifest --input m.json --cert release.pem --key release.key";
    assert(!(await shop.run(line)).err.includes("mode"));
    await Deno.chmod(`${shop.path}/release.key`, 0o644);
    const { exit, err } = await shop.run(line);
    assertEquals(exit, 0);
    assert(err.includes("its mode is 0644; run: chmod 0600 release.key"), err);
  },
});

Deno.test("publisher_ca replaces no file, and numbers its revocation lists", async () => {
  await using shop = await publisher();
  assertEquals(await shop.code("publisher_ca init --root root.pem --root-key other.key"), "conflict");
  assertEquals(await shop.code(`${ISSUE} --cert other.pem --key release.key`), "conflict");
  const list = "publisher_ca crl --root root.pem --root-key root.key --crl root.crl";
  const numberOf = async (line: string) => ((await shop.ok(line)).json["crl"] as { number: string }).number;
  // A path that is mistyped begins no second list, which would forget who was revoked.
  assertEquals(await shop.code(list), "not_found");
  assertEquals(await numberOf(`${list} --anew`), "1");
  assertEquals(await shop.code(`${list} --anew`), "conflict");
  await shop.ok("sign_manifest --input m.json --cert release.pem --key release.key");
  const verified = (await shop.ok(`${VERIFY} --crl root.crl --require-crl`)).json;
  assertEquals((verified["crls"] as { number: string }[]).map(({ number }) => number), ["1"]);
  assertEquals(await numberOf(`${list} --revoke release.pem --reason keyCompromise`), "2");
  assertEquals(await shop.code(`${VERIFY} --crl root.crl`), "revoked");
  await shop.ok(VERIFY);
  // What is revoked stays in the next list.
  shop.now += DAY;
  assertEquals(await numberOf(list), "3");
  assertEquals(await shop.code(`${VERIFY} --crl root.crl`), "revoked");
  shop.now -= 2 * DAY;
  assertEquals(await shop.code(list), "not_yet_valid");
});

Deno.test("verify_manifest refuses lists that are out of date, missing, or another's", async () => {
  await using shop = await publisher();
  await shop.ok("sign_manifest --input m.json --cert release.pem --key release.key");
  await shop.ok("publisher_ca crl --root root.pem --root-key root.key --crl root.crl --anew --days 1");
  await shop.ok("publisher_ca init --root b.pem --root-key b.key --subject CN=other");
  await shop.ok("publisher_ca crl --root b.pem --root-key b.key --crl b.crl --anew");
  await shop.ok(`${VERIFY} --crl root.crl`);
  await shop.ok(`${VERIFY} --crl root.crl b.crl`);
  assertEquals(await shop.code(`${VERIFY} --crl b.crl`), "stale");
  assertEquals(await shop.code(`${VERIFY} --require-crl`), "stale");
  assertEquals(await shop.code(`${VERIFY} --crl root.pem`), "malformed");
  assertEquals(await shop.code(VERIFY.replace("root.pem", "b.pem")), "untrusted");
  assertEquals(await shop.code("publisher_ca crl --root b.pem --root-key b.key --crl root.crl"), "signature");
  assertEquals(
    await shop.code("publisher_ca crl --root b.pem --root-key b.key --crl b.crl --revoke release.pem"),
    "usage",
  );
  assertEquals(await shop.code("publisher_ca crl --root b.pem --root-key root.key --crl b.crl"), "wrong_key");
  shop.now += DAY;
  assertEquals(await shop.code(`${VERIFY} --crl root.crl`), "stale");
  shop.now += 400 * DAY;
  assertEquals(await shop.code(VERIFY), "expired");
  shop.now -= 500 * DAY;
  assertEquals(await shop.code(VERIFY), "not_yet_valid");
});

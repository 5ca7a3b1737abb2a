import { Buffer } from "node:buffer";
import { Redacted } from "../../../../shared/crypto/redacted.ts";
import { Pkcs11Session } from "../../../../manager/keys/pkcs11/session.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../../assert.ts";
import { needs } from "../../../tools/needs.ts";
import { softHsm } from "../../../tools/soft_hsm.ts";

const { test } = needs("softhsm2", "pkcs11js");
const P256 = Buffer.from("06082a8648ce3d030107", "hex");

function makeKeys(session: Pkcs11Session, label: string): void {
  const { CKM_EC_KEY_PAIR_GEN, CKA_EC_PARAMS, CKA_LABEL, CKA_TOKEN, CKA_SIGN, CKA_VERIFY } = session.constants;
  const common = [{ type: CKA_LABEL, value: label }, { type: CKA_TOKEN, value: true }];
  const forPublic = [...common, { type: CKA_EC_PARAMS, value: P256 }, { type: CKA_VERIFY, value: true }];
  const forPrivate = [...common, { type: CKA_SIGN, value: true }];
  session.call(
    "make a key pair",
    (cryptoki, handle) => cryptoki.C_GenerateKeyPair(handle, { mechanism: CKM_EC_KEY_PAIR_GEN }, forPublic, forPrivate),
  );
}

test("a session finds keys by their labels, signs, and leaves the token to the next one", async () => {
  using hsm = await softHsm();
  {
    using session = await Pkcs11Session.open(hsm.place, hsm.pin);
    // A second one meanwhile, as a manager with several tenants has it.
    using other = await Pkcs11Session.open(hsm.place, hsm.pin);
    makeKeys(session, "release");
    assertEquals(other.findAll("private", "release").length, 1);
    const { CKM_ECDSA, CKA_EC_PARAMS } = session.constants;
    const key = session.find("private", "release");
    assertEquals(session.sign(key, { mechanism: CKM_ECDSA }, new Uint8Array(32).fill(7), 256).length, 64);
    assertEquals(Buffer.from(session.attributes(session.find("public", "release"), [CKA_EC_PARAMS])[0] ?? []), P256);
  }
  using again = await Pkcs11Session.open(hsm.place, hsm.pin);
  assertThrows(() => again.find("private", "another"), "not_found");
  makeKeys(again, "release");
  assertThrows(() => again.find("private", "release"), "conflict");
});

test("a session tells a wrong PIN, token, library and mechanism apart, and never the PIN", async () => {
  using hsm = await softHsm();
  const wrong = await assertRejects(() => Pkcs11Session.open(hsm.place, new Redacted("000111")), "wrong_key");
  assert(!`${wrong.stack} ${wrong.message}`.includes("000111"));
  await assertRejects(() => Pkcs11Session.open({ ...hsm.place, token: "none" }, hsm.pin), "not_found");
  await assertRejects(() => Pkcs11Session.open({ ...hsm.place, library: "/bin/ls" }, hsm.pin), "configuration");
  const session = await Pkcs11Session.open(hsm.place, hsm.pin);
  makeKeys(session, "release");
  const key = session.find("private", "release");
  const { CKM_FORTEZZA_TIMESTAMP } = session.constants;
  assertThrows(() => session.sign(key, { mechanism: CKM_FORTEZZA_TIMESTAMP }, new Uint8Array(32), 256), "unsupported");
  session.close();
  session.close();
  assertThrows(() => session.find("private", "release"), "usage");
});

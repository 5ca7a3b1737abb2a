import { Buffer } from "node:buffer";
import { createTokenKek, pkcs11Kek } from "../../../manager/keys/pkcs11_kek.ts";
import { Pkcs11Session } from "../../../manager/keys/pkcs11/session.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../../../manager/keys/wrapped_key.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { PIN, type SoftHsm, softHsm } from "../../tools/soft_hsm.ts";
import { CONTEXT, newKey } from "./keks.ts";

const { test } = needs("softhsm2", "pkcs11js");

const uriOf = ({ place }: SoftHsm, object: string): string =>
  `pkcs11:token=${encodeURIComponent(place.token)};object=${object}?module-path=${place.library}`;

test("pkcs11Kek() wraps and unwraps by a key that never leaves its token", async () => {
  using hsm = await softHsm();
  const uri = uriOf(hsm, "kek");
  await createTokenKek(uri, hsm.pin);
  await assertRejects(() => createTokenKek(uri, hsm.pin), "conflict");
  const kek = pkcs11Kek(uri, hsm.pin, webCryptoRandom);
  assert(!kek.describe().includes(PIN) && kek.describe().includes("'kek'"), kek.describe());
  const key = newKey();
  const wrapped = decodeWrappedKey(encodeWrappedKey(await kek.wrap(key, CONTEXT)));
  assertEquals(wrapped.kind, "pkcs11");
  assertEquals(reveal(await kek.unwrap(wrapped, CONTEXT)), reveal(key));
  for (
    const [record, context] of [[wrapped, utf8("another")], [changed(wrapped.parameters.sealed), CONTEXT]] as const
  ) {
    const error = await kek.unwrap(
      record instanceof Uint8Array ? { ...wrapped, parameters: { ...wrapped.parameters, sealed: record } } : record,
      context,
    ).then(() => null, (thrown) => thrown);
    assert(isPosternError(error, "wrong_key") || isPosternError(error, "tampered"), String(error));
  }
  using session = await Pkcs11Session.open(hsm.place, hsm.pin);
  const { CKA_EXTRACTABLE, CKA_SENSITIVE } = session.constants;
  const attributes = session.attributes(session.find("secret", "kek"), [CKA_EXTRACTABLE, CKA_SENSITIVE]);
  assertEquals(attributes.map((value) => Buffer.from(value).toString("hex")), ["00", "01"]);
});

function changed(value: unknown): Bytes {
  const copy = new Uint8Array(value as Bytes);
  copy[3] = (copy[3] ?? 0) ^ 1;
  return copy;
}

test("pkcs11Kek() says which token, key or PIN is wrong", async () => {
  using hsm = await softHsm();
  await createTokenKek(uriOf(hsm, "one"), hsm.pin);
  await createTokenKek(uriOf(hsm, "two"), hsm.pin);
  const kekOf = (object: string, pin = hsm.pin) => pkcs11Kek(uriOf(hsm, object), pin, webCryptoRandom);
  const wrapped = await kekOf("one").wrap(newKey(), CONTEXT);
  await assertRejects(() => kekOf("two").unwrap(wrapped, CONTEXT), "wrong_key");
  await assertRejects(() => kekOf("three").unwrap(wrapped, CONTEXT), "not_found");
  await assertRejects(() => kekOf("one", new Redacted("00000000")).unwrap(wrapped, CONTEXT), "wrong_key");
  const elsewhere = pkcs11Kek(uriOf(hsm, "one").replace("token=", "token=x"), hsm.pin, webCryptoRandom);
  await assertRejects(() => elsewhere.unwrap(wrapped, CONTEXT), "not_found");
  const noLibrary = pkcs11Kek("pkcs11:token=t;object=o?module-path=/nowhere.so", hsm.pin, webCryptoRandom);
  await assertRejects(() => noLibrary.wrap(newKey(), CONTEXT), "configuration");
});

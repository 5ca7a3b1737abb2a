import { utf8 } from "../../../shared/bytes/bytes.ts";
import { decryptOaep, encryptOaep, importOaepPkcs8, importOaepSpki } from "../../../shared/crypto/rsa_oaep.ts";
import { exportSpki } from "../../../shared/crypto/signature.ts";
import { assertEquals, assertRejects, assertRejectsWith } from "../../assert.ts";
import { inOtherRuntime, subtleWith } from "../../other_runtime.ts";

async function newKey() {
  const publicExponent = Uint8Array.of(1, 0, 1);
  const parameters = { name: "RSA-OAEP", hash: "SHA-256", modulusLength: 2_048, publicExponent };
  const { privateKey } = await crypto.subtle.generateKey(parameters, true, ["decrypt"]) as CryptoKeyPair;
  return await importOaepPkcs8(new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
}

Deno.test("importOaepSpki() makes a key that seals and can be taken out again", async () => {
  const { privateKey, spki } = await newKey();
  const publicKey = await importOaepSpki(spki);
  assertEquals(await exportSpki(publicKey), spki);
  const ciphertext = await encryptOaep(publicKey, utf8("label"), utf8("key"));
  assertEquals(await decryptOaep(privateKey, utf8("label"), ciphertext), utf8("key"));
});

Deno.test("RSA-OAEP with the wrong half of a pair is no fault of the bytes", async () => {
  const { privateKey, spki } = await newKey();
  const publicKey = await importOaepSpki(spki);
  await assertRejectsWith(() => decryptOaep(publicKey, utf8("label"), new Uint8Array(256)), "InvalidAccessError");
  await assertRejectsWith(() => encryptOaep(privateKey, utf8("label"), utf8("key")), "InvalidAccessError");
});

Deno.test("decryptOaep() throws tampered for another length, also where the runtime would take it", async () => {
  const { privateKey } = await newKey();
  await inOtherRuntime([subtleWith("decrypt", () => Promise.resolve(new ArrayBuffer(3)))], async () => {
    assertEquals((await decryptOaep(privateKey, utf8("label"), new Uint8Array(256))).length, 3);
    for (const length of [0, 255, 257]) {
      await assertRejects(() => decryptOaep(privateKey, utf8("label"), new Uint8Array(length)), "tampered");
    }
  });
});

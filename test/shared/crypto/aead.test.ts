import fc from "fast-check";
import { assert, assertEquals, assertRejects, assertRejectsWith } from "../../assert.ts";
import { EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { AEAD_TAG_BYTES, importAeadKey, openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => new Uint8Array(value));
const nonce = webCryptoRandom(12);

Deno.test("sealAead() gives the value of test case 16 in the GCM specification", async () => {
  const key = await importAeadKey(fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const plaintext = fromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const sealed = await sealAead(
    key,
    fromHex("cafebabefacedbaddecaf888"),
    plaintext,
    fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
  );
  assertEquals(
    toHex(sealed),
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
      "76fc6ece0f4e1768cddf8853bb2d551b",
  );
});

Deno.test("sealAead() has taken what it was given when it returns its promise", async () => {
  const key = await importAeadKey(webCryptoRandom(32));
  for (const size of [0, 1, 16, 1_152, 16_384, 100_000]) {
    const plaintext = new Uint8Array(size).fill(7);
    const [iv, context] = [webCryptoRandom(12), webCryptoRandom(40)];
    const parameters = { name: "AES-GCM", iv, additionalData: context, tagLength: 128 };
    const expected = new Uint8Array(await crypto.subtle.encrypt(parameters, key, plaintext));
    const sealing = sealAead(key, iv, plaintext, context);
    for (const given of [plaintext, iv, context]) given.fill(0);
    assertEquals(await sealing, expected);
  }
});

Deno.test("openAead() gives back what sealAead() took, and nothing when a bit changed anywhere", async () => {
  const key = await importAeadKey(webCryptoRandom(32));
  const other = await importAeadKey(webCryptoRandom(32));
  await fc.assert(
    fc.asyncProperty(bytes(100), bytes(40), fc.nat(), async (plaintext, context, flip) => {
      const sealed = await sealAead(key, nonce, plaintext, context);
      assertEquals(sealed.length, plaintext.length + AEAD_TAG_BYTES);
      assertEquals(await openAead(key, nonce, sealed, context), plaintext);
      await assertRejects(() => openAead(key, nonce, flipped(sealed, flip), context), "tampered");
      await assertRejects(() => openAead(key, flipped(nonce, flip), sealed, context), "tampered");
      await assertRejects(() => openAead(other, nonce, sealed, context), "tampered");
      const otherContext = context.length === 0 ? utf8("x") : flipped(context, flip);
      await assertRejects(() => openAead(key, nonce, sealed, otherContext), "tampered");
    }),
    { numRuns: 40 },
  );
});

Deno.test("openAead() throws tampered for every truncation", async () => {
  const key = await importAeadKey(webCryptoRandom(32));
  const sealed = await sealAead(key, nonce, utf8("twenty bytes of text"), EMPTY);
  for (let length = 0; length < sealed.length; length++) {
    await assertRejects(() => openAead(key, nonce, sealed.slice(0, length), EMPTY), "tampered");
  }
});

Deno.test("importAeadKey() throws unsupported for every other key length", async () => {
  for (const length of [0, 1, 16, 24, 31, 33, 64]) {
    await assertRejects(() => importAeadKey(new Uint8Array(length)), "unsupported");
  }
});

Deno.test("sealAead() and openAead() throw unsupported for other nonces and keys of other algorithms", async () => {
  const key = await importAeadKey(webCryptoRandom(32));
  for (const length of [0, 1, 8, 11, 13, 16]) {
    await assertRejects(() => sealAead(key, new Uint8Array(length), EMPTY, EMPTY), "unsupported");
    await assertRejects(() => openAead(key, new Uint8Array(length), new Uint8Array(16), EMPTY), "unsupported");
  }
  const foreign = [
    await crypto.subtle.importKey("raw", webCryptoRandom(16), "AES-GCM", false, ["encrypt", "decrypt"]),
    await crypto.subtle.importKey("raw", webCryptoRandom(32), "AES-CBC", false, ["encrypt", "decrypt"]),
  ];
  for (const key of foreign) {
    await assertRejects(() => sealAead(key, nonce, EMPTY, EMPTY), "unsupported");
    await assertRejects(() => openAead(key, nonce, new Uint8Array(16), EMPTY), "unsupported");
  }
});

Deno.test("openAead() with a key that may only seal is no fault of the ciphertext's", async () => {
  const key = await crypto.subtle.importKey("raw", webCryptoRandom(32), "AES-GCM", false, ["encrypt"]);
  await assertRejectsWith(() => openAead(key, nonce, new Uint8Array(16), EMPTY), "InvalidAccessError");
});

Deno.test("importAeadKey() makes a key that cannot be taken out", async () => {
  const key = await importAeadKey(webCryptoRandom(32));
  assertEquals(key.extractable, false);
  const refused = await crypto.subtle.exportKey("raw", key).then(() => "exported", (error) => error.name);
  assertEquals(refused, "InvalidAccessError");
});

function flipped(value: Uint8Array<ArrayBuffer>, bit: number): Uint8Array<ArrayBuffer> {
  const changed = value.slice();
  const at = (bit >> 3) % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
  assert(toHex(changed) !== toHex(value));
  return changed;
}

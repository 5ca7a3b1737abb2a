import { Aes256Gcm, CipherSuite, HkdfSha256, HpkeError } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { ml_kem768_x25519 as nobleXWing } from "@noble/post-quantum/hybrid.js";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { openHpke, sealHpke } from "../../../shared/crypto/hpke.ts";
import type { HpkePrivateKey } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import {
  importNative,
  importPortable,
  importXWingSeed,
  XWING_CIPHERTEXT_BYTES,
  XWING_PUBLIC_KEY_BYTES,
  type XWingKey,
  xwingRecipient,
  xwingSender,
} from "../../../shared/crypto/xwing.ts";
import { inOtherRuntime, loadAnew, subtleWith } from "../../other_runtime.ts";
import { referenceSeal, XWING_KEM_ID } from "./hpke_reference.ts";

/** The first test vector of draft-connolly-cfrg-xwing-kem-10, appendix C. */
const DRAFT = {
  seed: "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
  encapsulationSeed: "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2" +
    "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
  publicKeyStart: "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3da5fa1a92",
  shared: "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
};

async function decapsulate(key: XWingKey, encapsulated: Bytes): Promise<Bytes> {
  const { kem, recipientKey } = await xwingRecipient(key);
  return new Uint8Array(await kem.decap({ recipientKey, enc: encapsulated.slice().buffer }));
}

Deno.test("importXWingSeed() puts keys into a runtime that has ML-KEM; in one that lacks it both sides are the library's", async () => {
  const loaded = () => loadAnew<typeof import("../../../shared/crypto/xwing.ts")>("shared/crypto/xwing.ts");
  const seed = webCryptoRandom(32);
  const native = await (await loaded()).importXWingSeed(seed);
  assert("mlKem" in native);
  await inOtherRuntime([subtleWith("decapsulateBits")], async () => {
    const xwing = await loaded();
    const portable = await xwing.importXWingSeed(seed);
    assert("seed" in portable);
    assertEquals(portable.publicKey, native.publicKey);
    const kem = await xwing.xwingSender();
    const recipientPublicKey = await kem.deserializePublicKey(portable.publicKey.slice().buffer);
    const { enc, sharedSecret } = await kem.encap({ recipientPublicKey });
    assertEquals(await decapsulate(portable, new Uint8Array(enc)), new Uint8Array(sharedSecret));
  });
});

Deno.test("no secret comes of an encapsulation of another length", async () => {
  const seed = webCryptoRandom(32);
  for (const key of [await importNative(seed), await importPortable(seed)]) {
    for (const length of [0, 1_088, XWING_CIPHERTEXT_BYTES - 1, XWING_CIPHERTEXT_BYTES + 1]) {
      const error = await decapsulate(key, new Uint8Array(length)).catch((error) => error);
      assert(error instanceof HpkeError, String(error));
    }
  }
});

Deno.test("X-Wing gives the draft's values in the runtime, in @hpke/hybridkem-x-wing and in @noble/post-quantum", async () => {
  const seed = fromHex(DRAFT.seed);
  const noble = nobleXWing.keygen(seed);
  const { cipherText, sharedSecret } = nobleXWing.encapsulate(noble.publicKey, fromHex(DRAFT.encapsulationSeed));
  assertEquals(toHex(sharedSecret), DRAFT.shared);
  for (const key of [await importNative(seed), await importPortable(seed)]) {
    assert(toHex(key.publicKey).startsWith(DRAFT.publicKeyStart));
    assertEquals(key.publicKey, new Uint8Array(noble.publicKey));
    assertEquals(toHex(await decapsulate(key, new Uint8Array(cipherText))), DRAFT.shared);
  }
  const library = new XWing();
  const recipientPublicKey = await library.deserializePublicKey(noble.publicKey.slice().buffer);
  const { enc } = await library.encap({ recipientPublicKey, ekm: fromHex(DRAFT.encapsulationSeed).buffer });
  assertEquals(new Uint8Array(enc), new Uint8Array(cipherText));
});

Deno.test("X-Wing in the runtime, @hpke/hybridkem-x-wing and @noble/post-quantum agree on random seeds", async () => {
  for (let round = 0; round < 5; round++) {
    const seed = webCryptoRandom(32);
    const noble = nobleXWing.keygen(seed);
    const keys = [await importNative(seed), await importPortable(seed)];
    for (const kem of [await xwingSender(), new XWing()]) {
      const recipientPublicKey = await kem.deserializePublicKey(noble.publicKey.slice().buffer);
      const { enc, sharedSecret } = await kem.encap({ recipientPublicKey });
      const encapsulated = new Uint8Array(enc);
      assertEquals(encapsulated.length, XWING_CIPHERTEXT_BYTES);
      assertEquals(new Uint8Array(nobleXWing.decapsulate(encapsulated, noble.secretKey)), new Uint8Array(sharedSecret));
      for (const key of keys) {
        assertEquals(key.publicKey, new Uint8Array(noble.publicKey));
        assertEquals(await decapsulate(key, encapsulated), new Uint8Array(sharedSecret));
      }
      // ML-KEM rejects implicitly: a changed encapsulation gives another secret, and everywhere the same other one.
      const changed = encapsulated.slice();
      changed[round * 100] = (changed[round * 100] ?? 0) ^ 1;
      const other = await decapsulate(await importNative(seed), changed);
      assert(toHex(other) !== toHex(new Uint8Array(sharedSecret)));
      assertEquals(await decapsulate(await importPortable(seed), changed), other);
      assertEquals(new Uint8Array(nobleXWing.decapsulate(changed, noble.secretKey)), other);
    }
  }
});

Deno.test("openHpke() opens with the portable key what was sealed in the runtime, and the other way round", async () => {
  const seed = webCryptoRandom(32);
  const [info, plaintext] = [utf8("info"), webCryptoRandom(100)];
  const native: HpkePrivateKey = { suite: "xwing", ...await withKey(importNative(seed)) };
  const portable: HpkePrivateKey = { suite: "xwing", ...await withKey(importPortable(seed)) };
  const sealed = await sealHpke("xwing", native.publicKey, info, plaintext);
  assertEquals(await openHpke("xwing", portable, info, sealed), plaintext);
  assertEquals(await openHpke("xwing", native, info, sealed), plaintext);

  const library = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientPublicKey = await library.kem.deserializePublicKey(native.publicKey.slice().buffer);
  const { enc, ct } = await library.seal({ recipientPublicKey, info }, plaintext);
  const theirs = { encapsulated: new Uint8Array(enc), ciphertext: new Uint8Array(ct) };
  assertEquals(await openHpke("xwing", native, info, theirs), plaintext);
  assertEquals(await openHpke("xwing", portable, info, theirs), plaintext);
  await assertRejects(() => openHpke("xwing", portable, utf8("other"), theirs), "tampered");
});

async function withKey<Key extends XWingKey>(imported: Promise<Key>): Promise<{ key: Key; publicKey: Bytes }> {
  const key = await imported;
  assertEquals(key.publicKey.length, XWING_PUBLIC_KEY_BYTES);
  return { key, publicKey: key.publicKey };
}

Deno.test("sealHpke() with xwing makes what the reference implementation makes from noble's shared secret", async () => {
  const noble = nobleXWing.keygen(webCryptoRandom(32));
  const [info, plaintext, associatedData] = [utf8("info"), utf8("plaintext"), utf8("aad")];
  const sealed = await sealHpke("xwing", noble.publicKey.slice(), info, plaintext, associatedData);
  const shared = nobleXWing.decapsulate(sealed.encapsulated, noble.secretKey);
  const expected = referenceSeal(XWING_KEM_ID, "aes-256-gcm", shared, info, plaintext, associatedData);
  assertEquals(sealed.ciphertext, expected);
});

Deno.test("importXWingSeed() takes a seed in the middle of a buffer and throws unsupported for another length", async () => {
  const buffer = webCryptoRandom(96);
  const seed = buffer.subarray(32, 64);
  assertEquals((await importXWingSeed(seed)).publicKey, (await importXWingSeed(seed.slice())).publicKey);
  assertEquals((await importPortable(seed)).publicKey, (await importXWingSeed(seed.slice())).publicKey);
  for (const length of [0, 31, 33, 64]) {
    await assertRejects(() => importXWingSeed(new Uint8Array(length)), "unsupported");
  }
});

Deno.test("the portable key is redacted when printed", async () => {
  const seed = fromHex(DRAFT.seed);
  const key = await importPortable(seed);
  assertEquals(Deno.inspect(key.seed), "<redacted>");
  assertEquals(JSON.stringify(key.seed), '"<redacted>"');
});

Deno.test("native keys survive structured clone, so that a browser can store them", async () => {
  const seed = webCryptoRandom(32);
  const key = await importNative(seed);
  const sealed = await sealHpke("xwing", key.publicKey, utf8("i"), utf8("p"));
  const clone = { suite: "xwing", key: structuredClone(key), publicKey: key.publicKey } as const;
  assertEquals(await openHpke("xwing", clone, utf8("i"), sealed), utf8("p"));
});

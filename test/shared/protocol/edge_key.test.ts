import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { deriveX25519, generateX25519 } from "../../../shared/crypto/x25519.ts";
import { deriveEdgeKeys, edgePublicKey, newEdgeKey, readEdgeSecret } from "../../../shared/protocol/edge_key.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";

const fixed: Bytes = fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

Deno.test("newEdgeKey() gives a secret that reads back and leads to the same public key", async () => {
  const { secret, publicKey } = await newEdgeKey(webCryptoRandom);
  assertEquals(secret.length, 43);
  assertEquals(await edgePublicKey(readEdgeSecret(secret)), publicKey);
  assert((await newEdgeKey(webCryptoRandom)).secret !== secret);
});

Deno.test("deriveEdgeKeys() gives keys that are all different and the same each time", async () => {
  const [one, again] = [await deriveEdgeKeys(fixed), await deriveEdgeKeys(fixed)];
  const texts = [one.tokens, one.challenges, one.exchange.publicKey, fixed].map(toHex);
  assertEquals(new Set(texts).size, texts.length);
  assertEquals([again.tokens, again.challenges, again.exchange.publicKey, fixed].map(toHex), texts);
  // Pinned: another derivation would end every session and lock every owner out of a deployed edge.
  assertEquals(texts[0], "69410986a1238bd14229f9779af27a7a1cf7b0838186365b6a23792aead787b5");
  assertEquals(texts[1], "f0b0edcce9b7499007f45412722928984d66b718b19d826f15f6a467e9e6c3bc");
  assertEquals(texts[2], "5e25c4b661af61cef1e426b4b758098e3e41eba863683326a98eed461ec5cc43");
});

Deno.test("deriveEdgeKeys() gives an exchange key that agrees with its public key", async () => {
  const { exchange } = await deriveEdgeKeys(fixed);
  const client = await generateX25519();
  assertEquals(
    await exchange.agree(client.publicKey),
    await deriveX25519(client.privateKey, exchange.publicKey),
  );
});

Deno.test("readEdgeSecret() refuses other lengths and other spellings", async () => {
  const { secret } = await newEdgeKey(webCryptoRandom);
  for (
    const text of ["", secret.slice(1), secret.slice(0, 42), `${secret}A`, `${secret}=`, ` ${secret}`, "é".repeat(43)]
  ) {
    assertThrows(() => readEdgeSecret(text), "malformed");
  }
  await assertRejects(() => deriveEdgeKeys(new Uint8Array(31)), "unsupported");
});

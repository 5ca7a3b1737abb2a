import { assertEquals, assertRejects, assertRejectsWith, assertThrows } from "../../assert.ts";
import { concat } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { nativeX25519 } from "../../../shared/crypto/native_x25519.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import {
  deriveX25519,
  deriveX25519Beside,
  generateX25519,
  importX25519,
  importX25519Pkcs8,
  isSmallOrderX25519,
  x25519Pkcs8,
  x25519PublicKey,
} from "../../../shared/crypto/x25519.ts";
import { inOtherRuntime, subtleWith } from "../../other_runtime.ts";
import { openssl, withOpenssl } from "./openssl.ts";

Deno.test("deriveX25519() gives the values of RFC 7748 section 5.2", async () => {
  const { privateKey } = await importX25519(
    fromHex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
  );
  const shared = await deriveX25519(
    privateKey,
    fromHex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
  );
  assertEquals(toHex(shared), "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  const second = await importX25519(fromHex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"));
  const other = fromHex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493");
  assertEquals(
    toHex(await deriveX25519(second.privateKey, other)),
    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
  );
});

Deno.test("x25519PublicKey() gives the value of RFC 7748 section 5.2 after one iteration", async () => {
  const nine = concat(new Uint8Array([9]), new Uint8Array(31));
  const { publicKey } = await importX25519(nine);
  assertEquals(toHex(publicKey), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
});

Deno.test("both sides derive the same 32 bytes, and others derive others", async () => {
  const [a, b, c] = await Promise.all([generateX25519(), generateX25519(), importX25519(webCryptoRandom(32))]);
  const shared = await deriveX25519(a.privateKey, b.publicKey);
  assertEquals(shared.length, 32);
  assertEquals(await deriveX25519(b.privateKey, a.publicKey), shared);
  assertEquals(toHex(await deriveX25519(c.privateKey, a.publicKey)) === toHex(shared), false);
});

Deno.test("nativeX25519() gives what WebCrypto does, and leaves what it refuses to that", async () => {
  const { privateKey } = await generateX25519();
  for (let turn = 0; turn < 20; turn++) {
    // Any bytes: half of them have the highest bit set, which has no meaning.
    const theirs = webCryptoRandom(32);
    const imported = await crypto.subtle.importKey("raw", theirs, "X25519", true, []);
    const expected = await crypto.subtle.deriveBits({ name: "X25519", public: imported }, privateKey, 256);
    assertEquals(nativeX25519(privateKey, theirs), new Uint8Array(expected));
  }
  for (const point of SMALL_ORDER) assertEquals(nativeX25519(privateKey, fromHex(point)), null);
  const { privateKey: other } = await crypto.subtle.generateKey("Ed25519", false, ["sign"]) as CryptoKeyPair;
  assertEquals(nativeX25519(other, webCryptoRandom(32)), null);
});

/** The points whose order divides 8 (RFC 7748 section 6.1 and the usual list of libsodium), and a spelling above the prime. */
const SMALL_ORDER = [
  "00".repeat(32),
  "01" + "00".repeat(31),
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

Deno.test("deriveX25519Beside() gives what deriveX25519() gives, however many are asked for at once", async () => {
  const { privateKey } = await generateX25519();
  const others = Array.from({ length: 8 }, () => webCryptoRandom(32));
  const alone = await Promise.all(others.map((other) => deriveX25519(privateKey, other)));
  assertEquals(await Promise.all(others.map((other) => deriveX25519Beside(privateKey, other))), alone);
});

Deno.test("SESS-05 deriveX25519() throws tampered when the result would be all zeros", async () => {
  const { privateKey } = await generateX25519();
  for (const point of SMALL_ORDER) {
    await assertRejects(() => deriveX25519(privateKey, fromHex(point)), "tampered");
    await assertRejects(() => deriveX25519Beside(privateKey, fromHex(point)), "tampered");
  }
});

Deno.test("SESS-05 deriveX25519() throws tampered when the runtime gives the zeros, as the earlier text of the standard wants", async () => {
  const { privateKey } = await generateX25519();
  await inOtherRuntime([subtleWith("deriveBits", () => Promise.resolve(new ArrayBuffer(32)))], async () => {
    for (const point of SMALL_ORDER) {
      await assertRejects(() => deriveX25519(privateKey, fromHex(point)), "tampered");
      await assertRejects(() => deriveX25519Beside(privateKey, fromHex(point)), "tampered");
    }
  });
});

Deno.test("deriveX25519() with a private key of another kind is no fault of the other side's", async () => {
  const { publicKey } = await generateX25519();
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", false, ["sign"]) as CryptoKeyPair;
  await assertRejectsWith(() => deriveX25519(privateKey, publicKey), "InvalidAccessError");
});

Deno.test("isSmallOrderX25519() knows them by their canonical spelling", async () => {
  assertEquals(SMALL_ORDER.map((point) => isSmallOrderX25519(fromHex(point))), [
    ...[true, true, true, true, true],
    ...[false, false],
  ]);
  assertEquals(isSmallOrderX25519((await generateX25519()).publicKey), false);
});

Deno.test("deriveX25519() throws malformed when the public key has another length", async () => {
  const { privateKey, publicKey } = await generateX25519();
  for (const bytes of [new Uint8Array(0), publicKey.slice(1), concat(publicKey, new Uint8Array(1))]) {
    await assertRejects(() => deriveX25519(privateKey, bytes), "malformed");
    await assertRejects(() => deriveX25519Beside(privateKey, bytes), "malformed");
  }
});

Deno.test("importX25519() throws unsupported and importX25519Pkcs8() malformed when the secret does not fit", async () => {
  for (const length of [0, 31, 33, 64]) {
    await assertRejects(() => importX25519(new Uint8Array(length)), "unsupported");
    assertThrows(() => x25519Pkcs8(new Uint8Array(length)), "unsupported");
  }
  const pkcs8 = x25519Pkcs8(webCryptoRandom(32));
  const ed25519 = fromHex("302e020100300506032b657004220420" + "11".repeat(32));
  for (const bytes of [new Uint8Array(0), pkcs8.slice(0, -1), concat(pkcs8, new Uint8Array(1)), ed25519]) {
    await assertRejects(() => importX25519Pkcs8(bytes), "malformed");
  }
});

Deno.test("private keys of X25519 cannot be taken out", async () => {
  for (const { privateKey } of [await generateX25519(), await importX25519(webCryptoRandom(32))]) {
    assertEquals(privateKey.extractable, false);
  }
});

withOpenssl.test("deriveX25519() agrees with OpenSSL", async () => {
  const secret = webCryptoRandom(32);
  const ours = await importX25519(secret);
  const theirs = await importX25519(webCryptoRandom(32));
  const peer = concat(fromHex("302a300506032b656e032100"), theirs.publicKey);
  const command = "pkeyutl -derive -keyform DER -inkey key -peerform DER -peerkey peer -out out";
  const shared = await openssl([command], { key: x25519Pkcs8(secret), peer });
  assertEquals(await deriveX25519(ours.privateKey, theirs.publicKey), shared);
  assertEquals(await x25519PublicKey(ours.privateKey), ours.publicKey);
  const spki = await openssl(["pkey -inform DER -in key -pubout -outform DER -out out"], {
    key: x25519Pkcs8(secret),
  });
  assertEquals(ours.publicKey, spki.slice(-32));
});

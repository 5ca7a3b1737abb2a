/** The keys of `node:crypto` do what WebCrypto's do, refusals included. */
import * as v from "valibot";
import { nodeKeys } from "../../../edge/hosts/node_keys.ts";
import { type Bytes, concat, equalBytes } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES } from "../../../shared/crypto/aead.ts";
import { type NativeKeys, webCryptoKeys } from "../../../shared/crypto/native_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey, sign, type SignatureAlgorithm } from "../../../shared/crypto/signature.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { hexBytes, wycheproof } from "../../shared/crypto/wycheproof.ts";

const BOTH: Readonly<Record<string, NativeKeys>> = { nodeKeys, webCryptoKeys };

function onBoth(title: string, run: (keys: NativeKeys, others: NativeKeys) => Promise<void>): void {
  for (const [name, keys] of Object.entries(BOTH)) {
    Deno.test(`${name}: ${title}`, () => run(keys, keys === nodeKeys ? webCryptoKeys : nodeKeys));
  }
}

wycheproof({
  file: "aes_gcm_test.json",
  group: { type: v.literal("AeadTest"), keySize: v.number(), ivSize: v.number(), tagSize: v.literal(128) },
  vector: { key: hexBytes, iv: hexBytes, aad: hexBytes, msg: hexBytes, ct: hexBytes, tag: hexBytes },
  async run(_group, { key: raw, iv, aad, msg, ct, tag }) {
    const key = await nodeKeys.sealingKey(raw);
    const opened = await key.open(iv, concat(ct, tag), aad);
    assert(equalBytes(await key.seal(iv, msg, aad), concat(ct, tag)));
    return opened;
  },
  expected({ keySize, ivSize }, { result, msg }) {
    if (keySize !== 8 * AEAD_KEY_BYTES || ivSize !== 8 * AEAD_NONCE_BYTES) return { excluded: true };
    return result === "valid" ? { gave: msg } : { threw: "tampered" };
  },
});

wycheproof({
  file: "x25519_test.json",
  group: { type: v.literal("XdhComp"), curve: v.literal("curve25519") },
  vector: { public: hexBytes, private: hexBytes, shared: hexBytes },
  run: async (_group, vector) => await (await nodeKeys.exchangeKey(vector.private)).agree(vector.public),
  expected: (_group, { shared }) => shared.some((byte) => byte !== 0) ? { gave: shared } : { threw: "tampered" },
});

onBoth("exchange keys agree with those of the other kind", async (keys, others) => {
  const secret = webCryptoRandom(32);
  const [mine, theirs, same] = [
    await keys.newExchangeKey(),
    await others.newExchangeKey(),
    await keys.exchangeKey(secret),
  ];
  assertEquals(await mine.agree(theirs.publicKey), await theirs.agree(mine.publicKey));
  assertEquals(same.publicKey, (await others.exchangeKey(secret)).publicKey);
  assert(!equalBytes(mine.publicKey, (await keys.newExchangeKey()).publicKey));
  const shared = await mine.agree(theirs.publicKey);
  assertEquals([shared.length, shared.constructor], [32, Uint8Array]);
});

onBoth("SESS-05: agree() throws tampered for a key of small order, malformed for another length", async (keys) => {
  const mine = await keys.newExchangeKey();
  const points = [
    "00".repeat(32),
    "01" + "00".repeat(31),
    "ec" + "ff".repeat(30) + "7f",
    "ee" + "ff".repeat(30) + "7f",
  ];
  for (const point of points) await assertRejects(async () => await mine.agree(fromHex(point)), "tampered");
  for (const length of [0, 31, 33]) {
    await assertRejects(async () => await mine.agree(new Uint8Array(length)), "malformed");
    await assertRejects(async () => await keys.exchangeKey(new Uint8Array(length)), "unsupported");
  }
});

onBoth("open() gives back what the other kind sealed, and throws tampered for anything else", async (keys, others) => {
  const [raw, nonce, plaintext] = [webCryptoRandom(32), webCryptoRandom(12), webCryptoRandom(100)];
  const context: Bytes = new Uint8Array([1]);
  const [key, other] = [await keys.sealingKey(raw), await others.sealingKey(raw)];
  for (const text of [plaintext, new Uint8Array(0)]) {
    const opened = await key.open(nonce, await other.seal(nonce, text, context), context);
    assertEquals([opened, opened.constructor], [text, Uint8Array]);
  }
  const sealed = await key.seal(nonce, plaintext, context);
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assertRejects(async () => await key.open(nonce, changed, context), "tampered");
  }
  for (const length of [0, 15, 16, sealed.length - 1]) {
    await assertRejects(async () => await key.open(nonce, sealed.slice(0, length), context), "tampered");
  }
  await assertRejects(async () => await key.open(nonce, sealed, new Uint8Array([2])), "tampered");
  await assertRejects(async () => await key.open(webCryptoRandom(12), sealed, context), "tampered");
});

onBoth("sealing keys and nonces of another length are unsupported", async (keys) => {
  for (const length of [0, 16, 24, 33]) {
    await assertRejects(async () => await keys.sealingKey(new Uint8Array(length)), "unsupported");
  }
  const key = await keys.sealingKey(webCryptoRandom(32));
  for (const length of [0, 11, 13, 16]) {
    const nonce = new Uint8Array(length);
    await assertRejects(async () => await key.seal(nonce, new Uint8Array(1), new Uint8Array(0)), "unsupported");
    await assertRejects(async () => await key.open(nonce, new Uint8Array(17), new Uint8Array(0)), "unsupported");
  }
});

const ALGORITHMS: readonly SignatureAlgorithm[] = ["Ed25519", "ES256", "ES384", "ES512", "PS256"];

onBoth("KEY-01: verify() takes the signature of the key over the message, and no other", async (keys) => {
  for (const algorithm of ALGORITHMS) {
    const { privateKey, publicKey } = await generateSigningKey(algorithm, false);
    const message = webCryptoRandom(300);
    const signature = await sign(privateKey, message);
    const key = await keys.verifyKey(await exportSpki(publicKey));
    assertEquals(await key.verify(signature, message), true, algorithm);
    assertEquals(await key.verify(signature, message.subarray(1)), false, algorithm);
    for (const at of [0, 40, signature.length - 1]) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assertEquals(await key.verify(changed, message), false, algorithm);
    }
    for (const other of [new Uint8Array(0), signature.slice(1), concat(signature, new Uint8Array(1))]) {
      assertEquals(await key.verify(other, message), false, algorithm);
    }
  }
});

onBoth("KEY-02: verifyKey() takes no key of another kind or form", async (keys) => {
  const x25519 = fromHex("302a300506032b656e032100" + "09".repeat(32));
  await assertRejects(async () => await keys.verifyKey(x25519), "unsupported");
  await assertRejects(async () => await keys.verifyKey(fromHex("302a300506032b6570032100")), "malformed");
  await assertRejects(async () => await keys.verifyKey(new Uint8Array(0)), "malformed");
});

onBoth("verify() takes no Ed25519 signature whose number is not reduced (RFC 8032 section 5.1.7)", async (keys) => {
  const { privateKey, publicKey } = await generateSigningKey("Ed25519", false);
  const message = webCryptoRandom(50);
  const signature = await sign(privateKey, message);
  const key = await keys.verifyKey(await exportSpki(publicKey));
  // The order of the base point, least significant byte first, added to the second half.
  const order = fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  let carry = 0;
  for (const [at, byte] of order.entries()) {
    const sum = (signature[32 + at] ?? 0) + byte + carry;
    [signature[32 + at], carry] = [sum & 0xff, sum >> 8];
  }
  assertEquals([carry, await key.verify(signature, message)], [0, false]);
});

onBoth("verifyKey() takes 32 bytes that are no point of Ed25519, and nothing verifies with them", async (keys) => {
  for (const first of ["02", "07"]) {
    const key = await keys.verifyKey(fromHex(`302a300506032b6570032100${first}${"00".repeat(31)}`));
    for (const signature of [new Uint8Array(64), webCryptoRandom(64)]) {
      assertEquals(await key.verify(signature, new Uint8Array(3)), false);
    }
  }
});

import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { hasNativeMlKem, isMlKemPublicKey, mlKemEncapsulate } from "../../../shared/crypto/ml_kem.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { importXWingSeed } from "../../../shared/crypto/xwing.ts";
import { assertEquals, assertRejectsWith } from "../../assert.ts";
import { inOtherRuntime, subtleWith } from "../../other_runtime.ts";

/** A coefficient in the place of the one that stands there. */
function withCoefficient(publicKey: Bytes, index: number, value: number): Bytes {
  const changed = publicKey.slice();
  const at = 3 * (index >> 1);
  const [first = 0, second = 0, third = 0] = changed.subarray(at, at + 3);
  const bytes = index % 2 === 0
    ? [value & 0xff, (second & 0xf0) | value >> 8, third]
    : [first, (second & 0x0f) | (value & 0x0f) << 4, value >> 4];
  changed.set(bytes, at);
  return changed;
}

Deno.test("isMlKemPublicKey() passes what the runtime encapsulates to, and nothing else", async () => {
  const publicKey = (await importXWingSeed(webCryptoRandom(32))).publicKey.slice(0, 1_184);
  const candidates = [publicKey, publicKey.slice(1), new Uint8Array(0)];
  for (const index of [0, 1, 2, 767 - 1, 767]) {
    for (const value of [0, 3_328, 3_329, 4_095]) candidates.push(withCoefficient(publicKey, index, value));
  }
  const seed = publicKey.slice();
  seed.fill(0xff, 1_152);
  for (const candidate of [...candidates, seed]) {
    const encapsulates = await mlKemEncapsulate(candidate).then(() => true, () => false);
    assertEquals(isMlKemPublicKey(candidate), encapsulates);
  }
  assertEquals(candidates.filter(isMlKemPublicKey).length, 11);
});

Deno.test("hasNativeMlKem() is false where WebCrypto lacks the function or the algorithm, and passes on every other error", async () => {
  assertEquals(await hasNativeMlKem(), true);
  assertEquals(await inOtherRuntime([subtleWith("decapsulateBits")], hasNativeMlKem), false);
  const refusing = (error: Error) => [subtleWith("importKey", () => Promise.reject(error))];
  const unknown = new DOMException("no such algorithm", "NotSupportedError");
  assertEquals(await inOtherRuntime(refusing(unknown), hasNativeMlKem), false);
  const namesake = Object.assign(new Error("a bug"), { name: "NotSupportedError" });
  for (const error of [new DOMException("no memory", "OperationError"), namesake]) {
    await assertRejectsWith(() => inOtherRuntime(refusing(error), hasNativeMlKem), error);
  }
});

import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { importAeadKey, openAead, sealAead } from "../../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { openOnce, sealOnce, SHORT_BYTES } from "../../../shared/crypto/short_aead.ts";
import { nativeCrypto } from "../../../shared/crypto/native.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { inOtherRuntime, loadAnew } from "../../other_runtime.ts";

/** On both sides of where another implementation takes over, and of AES's blocks. */
const LENGTHS = [0, 1, 15, 16, 17, 32, SHORT_BYTES - 1, SHORT_BYTES, SHORT_BYTES + 1, 4 * SHORT_BYTES];

function flipped(bytes: Bytes, bit: number): Bytes {
  const changed = bytes.slice();
  const at = (bit >> 3) % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

type Ways = Pick<typeof import("../../../shared/crypto/short_aead.ts"), "sealOnce" | "openOnce">;

async function agreesWithWebCrypto({ sealOnce, openOnce }: Ways): Promise<void> {
  const [key, nonce, bound] = [32, 12, 20].map(webCryptoRandom) as [Bytes, Bytes, Bytes];
  const imported = await importAeadKey(key);
  for (const length of LENGTHS) {
    const plaintext = webCryptoRandom(length);
    const sealed = await sealOnce(key, nonce, plaintext, bound);
    assertEquals(sealed, await sealAead(imported, nonce, plaintext, bound));
    assertEquals(await openOnce(key, nonce, sealed, bound), plaintext);
    assertEquals(await openAead(imported, nonce, sealed, bound), plaintext);
  }
}

Deno.test("sealOnce() and openOnce() are sealAead() and openAead(), at every length", () =>
  agreesWithWebCrypto({ sealOnce, openOnce }));

const refuse = () => {
  throw new Error("unknown cipher");
};
for (const [name, value] of [["createCipheriv"], ["createDecipheriv"], ["createCipheriv", refuse]] as const) {
  Deno.test(`sealOnce() and openOnce() are the same where ${name} ${value ? "refuses the cipher" : "is missing"}`, () =>
    inOtherRuntime([[nativeCrypto ?? {}, name, value]], async () => {
      const ways = await loadAnew<Ways>("shared/crypto/short_aead.ts");
      await agreesWithWebCrypto(ways);
      const [key, nonce] = [32, 12].map(webCryptoRandom) as [Bytes, Bytes];
      assert(ways.sealOnce(key, nonce, key, nonce) instanceof Promise);
    }));
}

Deno.test("sealOnce() and openOnce() need no promise up to SHORT_BYTES, and go to WebCrypto beyond", async () => {
  const [key, nonce] = [32, 12].map(webCryptoRandom) as [Bytes, Bytes];
  for (const length of LENGTHS) {
    const sealed = sealOnce(key, nonce, new Uint8Array(length), nonce);
    assertEquals(sealed instanceof Promise, length > SHORT_BYTES);
    const opened = openOnce(key, nonce, await sealed, nonce);
    assertEquals(opened instanceof Promise, length > SHORT_BYTES);
    assertEquals(await opened, new Uint8Array(length));
  }
});

Deno.test("openOnce() throws tampered when anything changed, or is missing", async () => {
  const [key, nonce, bound] = [32, 12, 20].map(webCryptoRandom) as [Bytes, Bytes, Bytes];
  for (const length of [32, SHORT_BYTES + 1]) {
    const sealed = await sealOnce(key, nonce, webCryptoRandom(length), bound);
    const opening = (...args: Parameters<typeof openOnce>) =>
      assertRejects(async () => await openOnce(...args), "tampered");
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), async (bit) => {
        await opening(flipped(key, bit), nonce, sealed, bound);
        await opening(key, flipped(nonce, bit), sealed, bound);
        await opening(key, nonce, flipped(sealed, bit), bound);
        await opening(key, nonce, sealed, flipped(bound, bit));
      }),
      { numRuns: 20 },
    );
    for (const cut of [0, 1, 15, 16, sealed.length - 1]) await opening(key, nonce, sealed.slice(0, cut), bound);
  }
});

Deno.test("sealOnce() and openOnce() throw unsupported for a key or nonce of another size", async () => {
  for (const length of [32, SHORT_BYTES + 1]) {
    const data = new Uint8Array(length);
    for (const [keyBytes, nonceBytes] of [[16, 12], [31, 12], [33, 12], [32, 11], [32, 16], [32, 0]] as const) {
      const [key, nonce] = [new Uint8Array(keyBytes), new Uint8Array(nonceBytes)];
      await assertRejects(async () => await sealOnce(key, nonce, data, data), "unsupported");
      await assertRejects(async () => await openOnce(key, nonce, data, data), "unsupported");
    }
  }
});

import { EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { verifyEd25519 } from "../../../shared/crypto/ed25519.ts";
import { nativeCrypto } from "../../../shared/crypto/native.ts";
import { assert, assertEquals } from "../../assert.ts";
import { inOtherRuntime, type Replaced } from "../../other_runtime.ts";

/** RFC 8032 section 7.1: key, message, signature. */
const VECTORS = [
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
].map((hex) => hex.map(fromHex));

const native = nativeCrypto ?? {};
const RUNTIMES: Readonly<Record<string, readonly Replaced[]>> = {
  "by the runtime's own": [],
  "where it cannot import": [[native, "createPublicKey"]],
  "where it cannot verify": [[native, "verify"]],
};

for (const [way, replaced] of Object.entries(RUNTIMES)) {
  Deno.test(`verifyEd25519() verifies the first vectors of RFC 8032 and nothing else, ${way}`, () =>
    inOtherRuntime(replaced, async () => {
      for (const [key = EMPTY, message = EMPTY, signature = EMPTY] of VECTORS) {
        assertEquals(await verifyEd25519(key, signature, message), true);
        assertEquals(await verifyEd25519(key, signature.with(3, 9), message), false);
        assertEquals(await verifyEd25519(key, signature.slice(1), message), false);
        assertEquals(await verifyEd25519(key, signature, utf8("other")), false);
        assertEquals(await verifyEd25519(new Uint8Array(32).fill(0xff), signature, message), false);
      }
    }));
}

Deno.test("verifyEd25519() needs no promise where the runtime has what it takes, and looks at lengths itself", async () => {
  const [key = EMPTY, message = EMPTY, signature = EMPTY] = VECTORS[0] ?? [];
  assertEquals(verifyEd25519(key, signature, message), true);
  assertEquals(verifyEd25519(new Uint8Array(31), signature, message), false);
  await inOtherRuntime([[native, "verify", () => true]], () => {
    assertEquals(verifyEd25519(key, signature.slice(1), message), false);
    assertEquals(verifyEd25519(key, new Uint8Array(65), message), false);
  });
  await inOtherRuntime([[native, "verify"]], () => assert(verifyEd25519(key, signature, message) instanceof Promise));
});

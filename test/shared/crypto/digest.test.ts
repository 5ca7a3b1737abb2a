import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { digest, HASH_BYTES, HASH_OID, hashOfOid } from "../../../shared/crypto/digest.ts";
import { verifyEd25519 } from "../../../shared/crypto/ed25519.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("digest() agrees with WebCrypto, and knows each hash by its identifier", async () => {
  for (const hash of ["SHA-256", "SHA-384", "SHA-512"] as const) {
    for (const bytes of [new Uint8Array(0), utf8("abc"), new Uint8Array(5_000).fill(3)]) {
      const found = await digest(hash, bytes);
      assertEquals(toHex(found), toHex(new Uint8Array(await crypto.subtle.digest(hash, bytes))));
      assertEquals(found.length, HASH_BYTES[hash]);
    }
    assertEquals(hashOfOid(HASH_OID[hash]), hash);
  }
  assertEquals(hashOfOid("1.3.14.3.2.26"), undefined);
});

Deno.test("verifyEd25519() verifies the first vectors of RFC 8032, and nothing else", async () => {
  const vectors = [
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
  for (const [key = utf8(""), message = utf8(""), signature = utf8("")] of vectors) {
    assertEquals(await verifyEd25519(key, signature, message), true);
    assertEquals(await verifyEd25519(key, signature.with(3, 9), message), false);
    assertEquals(await verifyEd25519(key, signature.slice(1), message), false);
    assertEquals(await verifyEd25519(key, signature, utf8("other")), false);
    assertEquals(await verifyEd25519(new Uint8Array(32).fill(0xff), signature, message), false);
    assertEquals(await verifyEd25519(new Uint8Array(31), signature, message), false);
  }
});

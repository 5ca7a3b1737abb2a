import { toHex } from "../../../shared/bytes/encoding.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { digest, HASH_BYTES, HASH_OID, hashOfOid } from "../../../shared/crypto/digest.ts";
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

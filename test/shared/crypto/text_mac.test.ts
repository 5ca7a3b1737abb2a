import fc from "fast-check";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { constantTimeEqualText } from "../../../shared/crypto/equal.ts";
import { hmacSha256, sha256 } from "../../../shared/crypto/hash.ts";
import { hmacSha256Text, sha256Base64 } from "../../../shared/crypto/text_mac.ts";
import { assertEquals } from "../../assert.ts";

const keys = fc.uint8Array({ maxLength: 100 });
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 1_300, maxLength: 1_500 }),
  fc.constant("ü".repeat(1_365)),
);

Deno.test("hmacSha256Text() is the HMAC of the text's UTF-8 for every key and length", () => {
  fc.assert(fc.property(keys, texts, (key, text) => {
    const wellFormed = text.toWellFormed();
    assertEquals(hmacSha256Text(key, wellFormed), toBase64(hmacSha256(key, utf8(wellFormed))));
  }));
});

Deno.test("sha256Base64() is the hash in base64", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
    assertEquals(sha256Base64(bytes), toBase64(sha256(bytes)));
  }));
});

Deno.test("constantTimeEqualText() says whether two texts are the same", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    assertEquals(constantTimeEqualText(a, b), a === b);
    assertEquals(constantTimeEqualText(a, `${a}`), true);
  }));
});

import { assert, assertThrows } from "../../assert.ts";
import { concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { hmacSha256 } from "../../../shared/crypto/hash.ts";
import { verifyHmacSha256 } from "../../../shared/crypto/mac.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";

Deno.test("verifyHmacSha256() accepts the MAC of this key and message alone", () => {
  const key = webCryptoRandom(32);
  const message = utf8("a message");
  const tag = hmacSha256(key, message);
  assert(verifyHmacSha256(key, message, tag));
  assert(!verifyHmacSha256(key, utf8("another"), tag));
  assert(!verifyHmacSha256(webCryptoRandom(32), message, tag));
  for (let at = 0; at < tag.length; at++) {
    assert(!verifyHmacSha256(key, message, tag.map((byte, index) => index === at ? byte ^ 0x80 : byte)));
  }
});

Deno.test("verifyHmacSha256() throws unsupported when the tag was truncated or lengthened", () => {
  const key = webCryptoRandom(32);
  const tag = hmacSha256(key, utf8("m"));
  for (const other of [tag.slice(0, 0), tag.slice(0, 16), tag.slice(0, 31), concat(tag, new Uint8Array(1))]) {
    assertThrows(() => verifyHmacSha256(key, utf8("m"), other), "unsupported");
  }
});

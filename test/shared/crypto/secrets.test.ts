import { inspect } from "node:util";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { type RowMacKey, secretKey, type TokenKey } from "../../../shared/crypto/brand.ts";
import { constantTimeEqual } from "../../../shared/crypto/equal.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";

Deno.test("Redacted prints <redacted> in every way of printing", () => {
  const MARK = "correct horse battery staple";
  const secret = new Redacted(MARK);
  const printed = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret, { depth: 9, showHidden: true }),
    Deno.inspect(secret, { depth: 9, showHidden: true }),
    Deno.inspect({ nested: [secret] }, { depth: 9 }),
    inspect(new Error("failed", { cause: secret })),
  ];
  for (const text of printed) assert(text.includes("<redacted>") && !text.includes(MARK), text);
  assertEquals(Reflect.ownKeys(secret), []);
  assertEquals({ ...secret } as unknown, {});
  assertEquals(structuredClone(secret) as unknown, {});
});

Deno.test("reveal() gives the secret back, also undefined and another Redacted", () => {
  const key = utf8("key");
  assert(reveal(new Redacted(key)) === key);
  assertEquals(reveal(new Redacted(undefined)), undefined);
  assertEquals(reveal(reveal(new Redacted(new Redacted(7)))), 7);
});

Deno.test("reveal() throws usage for a copy or an object that only looks like one", () => {
  const copy = structuredClone(new Redacted(1)) as Redacted<number>;
  assertThrows(() => reveal(copy), "usage");
  assertThrows(() => reveal(Object.create(Redacted.prototype)), "usage");
});

Deno.test("secretKey() takes 32 bytes and throws unsupported for any other length", () => {
  const mac: RowMacKey = secretKey(webCryptoRandom(32));
  assertEquals(mac.length, 32);
  // @ts-expect-error a MAC key is no token key
  const token: TokenKey = mac;
  assertEquals(token.length, 32);
  for (const length of [0, 16, 31, 33]) assertThrows(() => secretKey(new Uint8Array(length)), "unsupported");
});

Deno.test("constantTimeEqual() tells equal from unequal at every position and length", () => {
  const value = webCryptoRandom(32);
  assert(constantTimeEqual(value, value.slice()));
  for (let at = 0; at < value.length; at++) {
    const other = value.slice();
    other[at] = (other[at] ?? 0) ^ 1;
    assert(!constantTimeEqual(value, other));
    assert(!constantTimeEqual(value, value.subarray(0, at)));
  }
  assert(constantTimeEqual(new Uint8Array(0), new Uint8Array(0)));
  assert(!constantTimeEqual(value, new Uint8Array([...value, 0])));
});

Deno.test("webCryptoRandom() fills every length, also beyond the limit of one call", () => {
  for (const length of [0, 1, 12, 65_535, 65_536, 65_537, 200_000]) {
    const bytes = webCryptoRandom(length);
    assertEquals(bytes.length, length);
    if (length >= 65_535) assert(bytes.subarray(-40).some((byte) => byte !== 0) && new Set(bytes).size === 256);
  }
  assert(!constantTimeEqual(webCryptoRandom(16), webCryptoRandom(16)));
});

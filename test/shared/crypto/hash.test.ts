import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { assertEquals } from "../../assert.ts";
import { concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { createSha256, hmacSha256, sha256 } from "../../../shared/crypto/hash.ts";
import { nativeCrypto } from "../../../shared/crypto/native.ts";

/** Sizes around SHA-256's block, and around the thresholds between the implementations. */
const SIZES = [
  0,
  1,
  31,
  32,
  55,
  56,
  63,
  64,
  65,
  66,
  127,
  128,
  255,
  256,
  257,
  383,
  384,
  385,
  1024,
  4095,
  4096,
  4097,
  65_536,
];

const filled = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);

Deno.test("sha256() gives the values of FIPS 180-4's examples", () => {
  assertEquals(toHex(sha256(utf8("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assertEquals(toHex(sha256(utf8(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const twoBlocks = utf8("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  assertEquals(toHex(sha256(twoBlocks)), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const millionA = new Uint8Array(1_000_000).fill(0x61);
  assertEquals(toHex(sha256(millionA)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
});

Deno.test("sha256() and createSha256() agree with OpenSSL at every size and split", () => {
  for (const size of SIZES) {
    const bytes = filled(size);
    const expected = new Uint8Array(createHash("sha256").update(bytes).digest());
    assertEquals(sha256(bytes), expected);
    for (const piece of [1, 63, 64, 1000].filter((length) => size / length < 2000)) {
      const hasher = createSha256();
      for (let at = 0; at < size; at += piece) hasher.update(bytes.subarray(at, at + piece));
      assertEquals(hasher.digest(), expected);
    }
  }
});

Deno.test("hmacSha256() gives the values of RFC 4231", () => {
  const longKey = "aa".repeat(131);
  const cases: readonly [key: string, data: string, mac: string][] = [
    ["0b".repeat(20), toHex(utf8("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      toHex(utf8("Jefe")),
      toHex(utf8("what do ya want for nothing?")),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    [
      longKey,
      toHex(utf8("Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ];
  for (const [key, data, mac] of cases) assertEquals(toHex(hmacSha256(fromHex(key), fromHex(data))), mac);
});

Deno.test("hmacSha256() agrees with OpenSSL at every size of key and message", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 130 }), fc.constantFrom(...SIZES), (key, size) => {
    const bytes = filled(size);
    assertEquals(hmacSha256(key, bytes), new Uint8Array(createHmac("sha256", key).update(bytes).digest()));
  }));
});

Deno.test("sha256() and hmacSha256() take a second piece as if it stood behind the first", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SIZES), fc.constantFrom(...SIZES), (first, second) => {
      const [a, b, key] = [filled(first), filled(second), filled(32)];
      assertEquals(sha256(a, b), sha256(concat(a, b)));
      assertEquals(hmacSha256(key, a, b), hmacSha256(key, concat(a, b)));
    }),
  );
});

Deno.test("hmacSha256() takes a text as its UTF-8, whatever the text and the key before", () => {
  const texts = fc.string({ unit: "binary", maxLength: 300 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 130 }), fc.uint8Array({ maxLength: 130 }), texts, (key, other, text) => {
      const mac = hmacSha256(key, text);
      hmacSha256(other, "in between");
      assertEquals(mac, hmacSha256(key, utf8(text)));
    }),
  );
});

Deno.test("hashes are plain arrays that own their memory, whichever implementation made them", () => {
  for (const size of [10, 1000]) {
    for (const hash of [sha256(filled(size)), hmacSha256(filled(32), filled(size))]) {
      assertEquals(Object.getPrototypeOf(hash), Uint8Array.prototype);
      assertEquals(hash.buffer.byteLength, 32);
    }
  }
});

async function hashesOf(runtime: string): Promise<string[]> {
  const script = new URL("./hash_runtimes.ts", import.meta.url);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", script.href, runtime],
    stderr: "inherit",
  }).output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("sha256() and hmacSha256() give the same where the runtime has less to offer", async () => {
  const [older, browser] = await Promise.all([hashesOf("older"), hashesOf("browser")]);
  for (const [i, size] of [0, 31, 64, 127, 128, 1_000, 5_000].entries()) {
    const bytes = Uint8Array.from({ length: size }, (_, at) => at & 255);
    const text = String.fromCharCode(...bytes);
    const line = [sha256(bytes), hmacSha256(bytes, bytes), hmacSha256(bytes, text)].map(toHex).join(" ");
    assertEquals([older[i], browser[i]], [line, line]);
  }
});

Deno.test("nativeCrypto is found in this runtime, with hashes in one call", () => {
  assertEquals(typeof nativeCrypto?.hash, "function");
});

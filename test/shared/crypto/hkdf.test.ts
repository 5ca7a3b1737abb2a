import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import { assertEquals, assertThrows } from "../../assert.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { hkdf, hkdfExpand, hkdfExtract } from "../../../shared/crypto/hkdf.ts";

/** RFC 5869, appendices A.1 to A.3. */
const VECTORS = [
  {
    ikm: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    ikm: range(0x00, 80),
    salt: range(0x60, 80),
    info: range(0xb0, 80),
    prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    okm: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" +
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71" +
      "cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    ikm: "0b".repeat(22),
    salt: "",
    info: "",
    prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

function range(first: number, count: number): string {
  return toHex(Uint8Array.from({ length: count }, (_, i) => first + i));
}

Deno.test("hkdfExtract() and hkdfExpand() give the values of RFC 5869 appendix A", () => {
  for (const { ikm, salt, info, prk, okm } of VECTORS) {
    const extracted = hkdfExtract(fromHex(salt), fromHex(ikm));
    assertEquals(toHex(extracted), prk);
    assertEquals(toHex(hkdfExpand(extracted, fromHex(info), okm.length / 2)), okm);
  }
});

Deno.test("hkdf() is hkdfExtract() and hkdfExpand(), with infos of every length", () => {
  const bytes = () => fc.uint8Array({ maxLength: 100 });
  const info = fc.oneof(bytes(), fc.constantFrom(1_023, 1_024, 1_025, 5_000).map((length) => new Uint8Array(length)));
  const length = fc.oneof(fc.constantFrom(1, 31, 32, 33, 8160), fc.integer({ min: 1, max: 300 }));
  fc.assert(fc.property(bytes(), bytes(), info, length, (salt, ikm, info, length) => {
    assertEquals(hkdf(salt, ikm, info, length), hkdfExpand(hkdfExtract(salt, ikm), info, length));
  }));
});

Deno.test("hkdfExpand() agrees with OpenSSL at every length", () => {
  const bytes = () => fc.uint8Array({ maxLength: 100 });
  const length = fc.oneof(fc.constantFrom(1, 31, 32, 33, 64, 8159, 8160), fc.integer({ min: 1, max: 300 }));
  fc.assert(fc.property(bytes(), bytes(), bytes(), length, (ikm, salt, info, length) => {
    const expected = new Uint8Array(hkdfSync("sha256", ikm, salt, info, length));
    assertEquals(hkdfExpand(hkdfExtract(salt, ikm), info, length), expected);
  }));
});

Deno.test("hkdf() and hkdfExpand() throw unsupported when the length is not 1 to 8160", () => {
  for (const length of [-1, 0, 0.5, 8161, NaN, Infinity]) {
    assertThrows(() => hkdfExpand(new Uint8Array(32), new Uint8Array(0), length), "unsupported");
    assertThrows(() => hkdf(new Uint8Array(0), new Uint8Array(32), new Uint8Array(0), length), "unsupported");
  }
});

import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { inOtherRuntime, loadAnew, type Replaced } from "../../other_runtime.ts";
import { type Codec, NATIVE } from "../../../shared/bytes/encoding_native.ts";
import { PORTABLE } from "../../../shared/bytes/encoding_portable.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { isPosternError } from "../../../shared/errors.ts";

type Encoding = typeof import("../../../shared/bytes/encoding.ts");

/** What Node before 25 and older browsers lack. */
const LATE: readonly Replaced[] = [
  ...["toHex", "toBase64", "setFromHex", "setFromBase64"].map((name) => [Uint8Array.prototype, name] as const),
  ...["fromHex", "fromBase64"].map((name) => [Uint8Array, name] as const),
];
const RUNTIMES = { "the runtime's own way": [], "the portable way": LATE } as const;

const bytes = () => fc.uint8Array({ maxLength: 70 });

for (const [way, replaced] of Object.entries(RUNTIMES)) {
  const test = (name: string, run: (encoding: Encoding) => void) =>
    Deno.test(`${name}, ${way}`, () =>
      inOtherRuntime(replaced, async () => run(await loadAnew("shared/bytes/encoding.ts"))));

  for (const name of ["hex", "base64", "base64url"] as const) {
    const formOf = ({ toHex, fromHex, toBase64, fromBase64, toBase64Url, fromBase64Url }: Encoding) =>
      ({
        hex: [toHex, fromHex],
        base64: [toBase64, fromBase64],
        base64url: [toBase64Url, fromBase64Url],
      } as const)[name];

    test(`${name} decoding gives back what was encoded`, (encoding) => {
      const [encode, decode] = formOf(encoding);
      fc.assert(fc.property(bytes(), (value) => assertEquals(decode(encode(value)), new Uint8Array(value))));
    });

    test(`${name} decoding accepts a text only if it encodes to itself`, (encoding) => {
      const [encode, decode] = formOf(encoding);
      const text = fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.string({ unit: fc.constantFrom(..."0aFf+/-_=\n "), maxLength: 12 }),
        bytes().map((value) => encode(value) + "="),
      );
      fc.assert(
        fc.property(text, (value) => {
          try {
            assertEquals(encode(decode(value)), value);
          } catch (error) {
            assert(isPosternError(error, "malformed"), String(error));
          }
        }),
        { numRuns: 1000 },
      );
    });

    test(`${name} decoding refuses or differs when one character changed`, (encoding) => {
      const [encode, decode] = formOf(encoding);
      const change = fc.tuple(bytes(), fc.nat(), fc.constantFrom(..."0123456789abcdefABC+/-_= ")).filter(([v]) =>
        v.length > 0
      );
      fc.assert(fc.property(change, ([value, at, character]) => {
        const text = encode(value);
        const index = at % text.length;
        const changed = text.slice(0, index) + character + text.slice(index + 1);
        if (changed === text) return;
        try {
          assert(encode(decode(changed)) !== text);
        } catch (error) {
          assert(isPosternError(error, "malformed"), String(error));
        }
      }));
    });
  }

  test("toBase64() and toBase64Url() give the examples of RFC 4648 section 10", (encoding) => {
    const { toHex, toBase64, fromBase64, toBase64Url } = encoding;
    const examples = {
      "": "",
      f: "Zg==",
      fo: "Zm8=",
      foo: "Zm9v",
      foob: "Zm9vYg==",
      fooba: "Zm9vYmE=",
      foobar: "Zm9vYmFy",
    };
    for (const [plain, encoded] of Object.entries(examples)) {
      assertEquals(toBase64(utf8(plain)), encoded);
      assertEquals(fromBase64(encoded), utf8(plain));
      assertEquals(toBase64Url(utf8(plain)), encoded.replaceAll("=", ""));
    }
    assertEquals(toHex(utf8("foobar")), "666f6f626172");
    assertEquals(toBase64(new Uint8Array([0xfb, 0xff])), "+/8=");
    assertEquals(toBase64Url(new Uint8Array([0xfb, 0xff])), "-_8");
  });

  test("decoders throw malformed for each other spelling of the same bytes", ({ fromHex, fromBase64, fromBase64Url }) => {
    const hex = ["AB", "a", "0x", " ab", "ab\n", "abg0", "ａb"];
    const base64 = [
      "Zg",
      "Zg=",
      "Zh==",
      "Zm9",
      "Zm9=",
      "Zm9v=",
      "Zg==\n",
      "Z g==",
      "-_8=",
      "=",
      "====",
      "Z",
      "Zg==Zg==",
    ];
    const base64Url = ["Zg==", "Zh", "Zm9=", "+/8", "-_9", "Zm9v\n", " Zm9v", "Z", "="];
    for (const text of hex) assertThrows(() => fromHex(text), "malformed");
    for (const text of base64) assertThrows(() => fromBase64(text), "malformed");
    for (const text of base64Url) assertThrows(() => fromBase64Url(text), "malformed");
  });

  test("isHexOf() is true for what fromHex() takes, and for no other length", ({ isHexOf, toHex }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.constantFrom(..."A g\n0fé"), (value, at, other) => {
        const text = toHex(value);
        assertEquals(isHexOf(text, value.length), true);
        assertEquals(isHexOf(text, value.length + 1), false);
        if (text === "") return;
        const place = at % text.length;
        const changed = `${text.slice(0, place)}${other}${text.slice(place + 1)}`;
        assertEquals(isHexOf(changed, value.length), other === "0" || other === "f");
      }),
    );
  });
}

Deno.test("portable encodings agree with the runtime's own", () => {
  fc.assert(fc.property(bytes(), (value) => {
    assertEquals(PORTABLE.toHex(value), NATIVE.toHex(value));
    assertEquals(PORTABLE.toBase64(value), NATIVE.toBase64(value));
    assertEquals(PORTABLE.toBase64Url(value), NATIVE.toBase64Url(value));
    assertEquals(PORTABLE.fromHex(NATIVE.toHex(value)), new Uint8Array(value));
    assertEquals(PORTABLE.fromBase64(NATIVE.toBase64(value)), new Uint8Array(value));
    assertEquals(PORTABLE.fromBase64Url(NATIVE.toBase64Url(value)), new Uint8Array(value));
  }));
});

Deno.test("the runtime's own base64 decoder takes a text if the portable one does: white space, padding, unused bits", () => {
  const spoiled = fc.tuple(
    fc.uint8Array({ maxLength: 12 }),
    fc.nat(),
    fc.constantFrom(...'"= \t\n\f\r\v\u00a0\u2028AZ-_+/\0'),
    fc.nat(2),
  )
    .map(([value, at, other, removed]) => {
      const text = NATIVE.toBase64(value);
      const place = at % (text.length + 1);
      return text.slice(0, place) + other + text.slice(place + removed);
    });
  const taken = ({ fromBase64, isExactBase64 }: Codec, text: string) => {
    try {
      const bytes = fromBase64(text);
      return isExactBase64(bytes, text) ? bytes : null;
    } catch {
      return null;
    }
  };
  fc.assert(
    fc.property(fc.oneof(spoiled, fc.string({ maxLength: 12 })), (text) => {
      assertEquals(taken(NATIVE, text), taken(PORTABLE, text));
    }),
    { numRuns: 2_000 },
  );
});

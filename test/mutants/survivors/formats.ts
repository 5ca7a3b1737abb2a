/** Survivors in the code of CBOR, DER and encodings. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const FORMATS: readonly Survivor[] = [
  ...because(
    "Beyond the end there is nothing, or a byte that is written over",
    ["shared/bytes/bytes.ts", "for (let i = 0; i < shared; i++) {", "< becomes <="],
    ["shared/bytes/bytes.ts", "for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;", "< becomes <="],
    ["shared/bytes/cbor.ts", "for (let i = 0; i < length; i++) out[start + i] = value.charCodeAt(i);", "< becomes <="],
    ["shared/der/read.ts", "for (let i = 0; i < (content.length - 1) * 8; i++) {", "< becomes <=", "- becomes +"],
    ["shared/bytes/padding.ts", "while (end >= 0 && padded[end] === 0) end--;", ">= becomes >"],
  ),
  ...because(
    "The head of 0 and of what would be -1 has one byte",
    ["shared/bytes/cbor.ts", "return headLength(value < 0 ? -1 - value : value);", "< becomes <="],
  ),
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/bytes/cbor.ts", "if (length > SHORT_TEXT || length !== value.length) {", ALWAYS, "> becomes >="],
    [
      "shared/bytes/cbor.ts",
      "if (lengthA === a.length && lengthB === b.length) return a < b ? -1 : a === b ? 0 : 1;",
      NEVER,
      ALWAYS,
      "&& becomes ||",
      "=== becomes !==",
      ["=== becomes !==", 1],
      [NEVER, 2],
      [ALWAYS, 2],
      "< becomes <=",
    ],
    [
      "shared/bytes/cbor.ts",
      "for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return wideLength(text);",
      ALWAYS,
      "< becomes <=",
      "> becomes >=",
    ],
  ),
  ...because(
    "The runtime's own way and the portable one give the same (encoding.test.ts), and Deno has the former",
    [
      "shared/bytes/encoding.ts",
      'const native = typeof Uint8Array.prototype.toBase64 === "function" && typeof Uint8Array.fromBase64 === "function" &&',
      "&& becomes ||",
      ["&& becomes ||", 1],
      "=== becomes !==",
      ["=== becomes !==", 1],
    ],
    [
      "shared/bytes/encoding.ts",
      'typeof Uint8Array.prototype.toHex === "function" && typeof Uint8Array.fromHex === "function";',
      "&& becomes ||",
      "=== becomes !==",
      ["=== becomes !==", 1],
    ],
    ["shared/bytes/encoding.ts", "return native ? bytes.toHex() : portableToHex(bytes);", NEVER, ALWAYS],
    [
      "shared/bytes/encoding.ts",
      'return decodeExactly("lower-case hex", text, native ? Uint8Array.fromHex : portableFromHex, toHex);',
      NEVER,
      ALWAYS,
    ],
    [
      "shared/bytes/encoding.ts",
      'return native ? bytes.toBase64() : portableToBase64(bytes, "base64");',
      NEVER,
      ALWAYS,
    ],
    [
      "shared/bytes/encoding.ts",
      'return decodeExactly("base64", text, native ? nativeFromBase64 : portableFromBase64, toBase64);',
      NEVER,
      ALWAYS,
    ],
    [
      "shared/bytes/encoding.ts",
      'return native ? bytes.toBase64({ alphabet: "base64url", omitPadding: true }) : portableToBase64(bytes, "base64url");',
      NEVER,
      ALWAYS,
    ],
    [
      "shared/bytes/encoding.ts",
      'return decodeExactly("base64url", text, native ? nativeFromBase64Url : portableFromBase64, toBase64Url);',
      NEVER,
      ALWAYS,
    ],
  ),
  ...because(
    "A length of no octets or too many is not shortest, or ends too early: the same error, a line later",
    [
      "shared/der/read.ts",
      'if (octets === 0 || octets > 4) throw malformed(this.#what, "has an indefinite or oversized length");',
      NEVER,
      "|| becomes &&",
    ],
  ),
  ...because(
    "A count of unused bits that is not 0 has a bit set within so many",
    [
      "shared/der/read.ts",
      "if (unused > 7 || (content.length === 1 ? unused !== 0 : (last & ((1 << unused) - 1)) !== 0)) {",
      [NEVER, 1],
    ],
  ),
  ...because(
    "Says what was found, for people",
    ["shared/der/read.ts", 'return tag === undefined ? "the end" : `0x${tag.toString(16).padStart(2, "0")}`;', ALWAYS],
  ),
  ...because(
    "A key is a text, which has no levels",
    [
      "shared/bytes/cbor.ts",
      "for (const key of keys) length += measure(key, depth + 1) + measure(map[key] as CborInput, depth + 1);",
      ["+ becomes -", 1],
    ],
  ),
  ...because(
    "The next case throws the same, and a tag is a token more than there are items: one is left behind the end",
    ["shared/bytes/cbor.ts", 'throw malformed("a float or another simple value");', "the throw is taken out"],
    ["shared/bytes/cbor.ts", 'throw malformed("a tag");', "the throw is taken out"],
  ),
  ...because(
    "A token is of text exactly if its value is one, and none is indefinite",
    [
      "shared/bytes/cbor.ts",
      'if (type !== TEXT || info === INDEFINITE || typeof key !== "string") throw malformed("a map key that is no text");',
      "|| becomes &&",
      ["|| becomes &&", 1],
    ],
  ),
  ...because(
    "A fraction of a byte is none",
    ["shared/bytes/cbor.ts", "return info < 24 ? 1 : 1 + 2 ** (info - 24);", NEVER],
  ),
];

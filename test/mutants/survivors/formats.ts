/** Survivors in the code of CBOR, DER and encodings. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const FORMATS: readonly Survivor[] = [
  ...because(
    "Beyond the end there is nothing, or a byte that is written over",
    ["shared/bytes/bytes.ts", "for (let i = 0; i < shared; i++) {", "< becomes <="],
    ["shared/bytes/bytes.ts", "for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;", "< becomes <="],
    [
      "shared/bytes/cbor_encode.ts",
      "for (let i = 0; i < length; i++) out[start + i] = value.charCodeAt(i);",
      "< becomes <=",
    ],
    ["shared/bytes/cbor_encode.ts", "for (let i = 0; i < text.length; i++) {", "< becomes <="],
    ["shared/bytes/encoding_portable.ts", "for (let i = 0; i < end; i++) {", "< becomes <="],
  ),
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/bytes/cbor_encode.ts", "if (length > SHORT_TEXT || length !== value.length) {", ALWAYS, "> becomes >="],
    ["shared/bytes/cbor_encode.ts", "if (lengthA === a.length) return a < b ? -1 : 1;", NEVER],
  ),
  ...because(
    "No map has a key twice",
    ["shared/bytes/cbor_encode.ts", "if (lengthA === a.length) return a < b ? -1 : 1;", "< becomes <="],
  ),
  ...because(
    "Both ways give the same (encoding.test.ts), and the runtime's own is quicker",
    [
      "shared/bytes/encoding.ts",
      'const codec = typeof Uint8Array.prototype.toBase64 === "function" ? NATIVE : PORTABLE;',
      NEVER,
    ],
  ),
  ...because(
    "Says what was found, for people",
    ["shared/der/read.ts", 'return tag === undefined ? "the end" : `0x${tag.toString(16).padStart(2, "0")}`;', ALWAYS],
  ),
];

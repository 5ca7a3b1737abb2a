/** Example of rows.md, "Canonical names": distinguished names as certificates encode them, and the text each is looked up by. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { TAG } from "../../shared/der/read.ts";
import { element, oid, sequence, utf8String } from "../../shared/der/write.ts";
import { canonicalDn, readName } from "../../shared/x509/dn.ts";
import type { Example } from "./vector.ts";

const [COUNTRY, ORGANIZATION, UNIT, COMMON_NAME] = ["2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.3"];
const DOMAIN = "0.9.2342.19200300.100.1.25";
/** DER's tags of types that no other part of the code writes. */
const [NUMERIC_STRING, BIT_STRING] = [0x12, 0x03];

type Pair = readonly [type: string, value: Bytes];

const latin1 = (tag: number, text: string): Bytes => element(tag, Uint8Array.from(text, (c) => c.charCodeAt(0)));
const printable = (text: string): Bytes => latin1(TAG.printableString, text);
const unit = (value: Bytes): Pair => [UNIT, value];

function bmp(text: string): Bytes {
  const units = Array.from(text, (c) => c.charCodeAt(0));
  return element(TAG.bmpString, Uint8Array.from(units.flatMap((code) => [code >> 8, code & 0xff])));
}

function universal(text: string): Bytes {
  const codes = Array.from(text, (c) => c.codePointAt(0) ?? 0);
  return element(
    TAG.universalString,
    Uint8Array.from(codes.flatMap((code) => [0, code >> 16, code >> 8 & 0xff, code & 0xff])),
  );
}

/** A Name in DER: a SEQUENCE of SETs of the pairs given, which are in the order of DER. */
function name(...rdns: readonly (readonly Pair[])[]): Bytes {
  return sequence(
    ...rdns.map((pairs) => element(TAG.set, ...pairs.map(([type, value]) => sequence(oid(type), value)))),
  );
}

const NAMES: readonly (readonly [about: string, der: Bytes])[] = [
  ["no attributes", name()],
  [
    "cases, spaces and string types",
    name([[COUNTRY, printable("DE")]], [[ORGANIZATION, printable("  Big   Engine ")]]),
  ],
  ["the same in other types", name([[COUNTRY, utf8String("de")]], [[ORGANIZATION, bmp("BIG engine")]])],
  ["what is escaped", name([[COMMON_NAME, utf8String('#a, b+c="d"\\ #e;<f>')]])],
  [
    "several attributes in one RDN",
    name([[COMMON_NAME, utf8String("b")], [DOMAIN, latin1(TAG.ia5String, "A.example")]]),
  ],
  [
    "one byte a character, whatever the type's alphabet",
    name([unit(latin1(TAG.teletexString, "Köln"))], [unit(printable("Türen@work"))], [
      unit(latin1(TAG.ia5String, "é")),
    ]),
  ],
  ["four bytes a character", name([unit(universal("Ａ😀"))])],
  ["compatibility characters, and an accent apart", name([unit(utf8String("ﬁne № ℌ"))], [unit(utf8String("e\u0301"))])],
  ["sharp s, final sigma, i with and without a dot", name([unit(utf8String("Große ẞ ΟΔΟΣ ὀδός İ ı I"))])],
  [
    "what becomes a space or nothing",
    name([unit(utf8String("a\u00a0\u2003\t\u0085b\u00adc\u200bd\ufe0fe\u0000\u034f"))]),
  ],
  ["nothing left", name([[COMMON_NAME, utf8String(" \u200b ")]])],
  [
    "other types, as they are encoded",
    name([unit(latin1(NUMERIC_STRING, "12 3"))], [unit(element(BIT_STRING, Uint8Array.of(0, 0xa5)))]),
  ],
];

export function namesExample(): Example {
  return {
    page: "rows.md",
    about: "Distinguished names in DER and their canonical text, as UTF-8 too, since what it is made of may not show.",
    steps: NAMES.map(([about, der]) => {
      const canonical = canonicalDn(readName(der, about));
      return { name: about, inputs: { der }, outputs: { canonical, utf8: utf8(canonical) } };
    }),
  };
}

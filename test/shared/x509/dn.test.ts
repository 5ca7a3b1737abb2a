import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { EMPTY, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Attribute, canonicalDn, displayDn, type Name, readName, writeName } from "../../../shared/x509/dn.ts";
import { parseDn, parseName } from "../../../shared/x509/dn_parse.ts";
import { prepareText } from "../../../shared/x509/dn_prepare.ts";
import { element, sequence, utf8String } from "../../../shared/der/write.ts";
import { TAG } from "../../../shared/der/read.ts";
import { rawName, STRINGS } from "./builder.ts";

const canonical = (der: Uint8Array<ArrayBuffer>) => canonicalDn(readName(der, "test")) as string;

Deno.test("prepareText() joins what RFC 4518 calls equal (spec: ROW-12)", () => {
  const groups = [
    [
      "Example CA",
      "EXAMPLE ca",
      "  example   CA ",
      "example\tca",
      "example\u00a0ca",
      "ex\u00adample ca",
      "e\u200bxample ca",
    ],
    ["Stra\u00dfe", "STRASSE", "strasse"],
    ["\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3"],
    ["Zo\u00eb", "ZOE\u0308", "zo\u00eb"],
    ["\ufb01n", "FIN", "\uff26\uff29\uff2e"],
    ["a b", "a\r\nb", "a\u2028b", "a\u3000b", " a  b "],
    ["", " ", "\u0000", "\ufeff", "\ufe0f"],
    ["\u0130stanbul", "i\u0307stanbul"],
  ];
  for (const [first = "", ...others] of groups) {
    for (const other of others) assertEquals(prepareText(other), prepareText(first), `${other} / ${first}`);
  }
  const distinct = new Set(groups.map(([first = ""]) => prepareText(first)));
  assertEquals(distinct.size, groups.length);
});

Deno.test("prepareText() keeps apart what looks or sounds alike", () => {
  for (
    const [a, b] of [["a b", "ab"], ["paypal", "p\u0430ypal"], ["o", "\u00f6"], ["1", "l"]] as const
  ) {
    assert(prepareText(a) !== prepareText(b), `${a} / ${b}`);
  }
});

Deno.test("prepareText() changes nothing the second time, for every character and for any text", () => {
  for (let code = 0; code < 0x110000; code++) {
    // No surrogates; and capital sharp s, of which the next test speaks.
    if ((code >= 0xd800 && code < 0xe000) || code === 0x1e9e) continue;
    const once = prepareText(`a${String.fromCodePoint(code)}b`);
    if (prepareText(once) !== once) throw new Error(`U+${code.toString(16)}: ${once}`);
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const once = prepareText(text);
    assertEquals(prepareText(once), once);
    assertEquals(prepareText(text.normalize("NFD")), once);
  }));
});

Deno.test("prepareText() folds as Unicode does where upper or lower case alone would not (spec: ROW-12)", () => {
  assertEquals(prepareText("\u0131"), "\u0131");
  assertEquals(prepareText("\u1e9e"), "ss");
  assertEquals(prepareText("\u00df"), "ss");
  assertEquals(prepareText("\u03a3\u03c3\u03c2"), "\u03c3\u03c3\u03c3");
});

Deno.test("prepareText() treats ASCII alike on its short way and on the long one", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
    // A zero-width character changes nothing but the way taken.
    assertEquals(prepareText(`${text}\u200b`), prepareText(text));
  }));
});

Deno.test("canonicalDn() is the same for every string type (spec: ROW-12)", () => {
  const forms = Object.values(STRINGS).map((form) => canonical(rawName([["2.5.4.3", form("Zo\u00eb & Co")]])));
  forms.push(canonical(rawName([["2.5.4.3", STRINGS.bmp("  ZO\u00cb  &  CO ")]])));
  assertEquals(new Set(forms), new Set(["2.5.4.3=zo\u00eb & co"]));
});

Deno.test("canonicalDn() keeps the order of RDNs, sorts within them, and escapes so that names cannot be confused", () => {
  const a = ["2.5.4.3", STRINGS.utf8("a")] as const;
  const b = ["2.5.4.10", STRINGS.utf8("b")] as const;
  assertEquals(canonical(rawName([a], [b])), "2.5.4.3=a,2.5.4.10=b");
  assertEquals(canonical(rawName([b], [a])), "2.5.4.10=b,2.5.4.3=a");
  assertEquals(canonical(rawName([a, b])), "2.5.4.10=b+2.5.4.3=a");
  assertEquals(canonical(rawName()), "");
  const tricky = 'a,2.5.4.10=b+c\\"';
  assertEquals(canonical(rawName([["2.5.4.3", STRINGS.utf8(tricky)]])), '2.5.4.3=a\\,2.5.4.10\\=b\\+c\\\\\\"');
  assertEquals(canonical(rawName([["2.5.4.3", STRINGS.utf8("#0500")]])), "2.5.4.3=\\#0500");
  assertEquals(canonical(rawName([["2.5.4.3", element(TAG.null)]])), "2.5.4.3=#0500");
});

Deno.test("canonicalDn() compares values that are no strings as their bytes", () => {
  const numeric = (text: string) => element(0x12, utf8(text));
  assertEquals(canonical(rawName([["2.5.4.5", numeric("12")]])), "2.5.4.5=#12023132");
});

Deno.test("readName() refuses what is not a name, or not text in its type", () => {
  const value = (tag: number, hex: string) => rawName([["2.5.4.3", element(tag, fromHex(hex))]]);
  const wrong: [string, Uint8Array<ArrayBuffer>][] = [
    ["an empty RDN", sequence(element(TAG.set))],
    ["an RDN that is a SEQUENCE", sequence(sequence(sequence()))],
    ["UTF-8 cut off", value(TAG.utf8String, "c3")],
    ["UTF-8 overlong", value(TAG.utf8String, "c080")],
    ["UTF-8 of a surrogate", value(TAG.utf8String, "eda080")],
    ["BMP cut off", value(TAG.bmpString, "004100")],
    ["BMP surrogates", value(TAG.bmpString, "d83dde00")],
    ["Universal beyond Unicode", value(TAG.universalString, "00110000")],
    ["a SET out of order", rawName([["2.5.4.10", STRINGS.utf8("b")], ["2.5.4.3", STRINGS.utf8("a")]])],
    ["bytes after the name", new Uint8Array([...rawName(), 0])],
    ["a third field", sequence(element(TAG.set, sequence(...Array(3).fill(element(TAG.null)))))],
  ];
  for (const [why, der] of wrong) assertThrows(() => readName(der, why), "malformed");
});

Deno.test("readName() and canonicalDn() refuse huge names", () => {
  const long = (text: string, count: number) => rawName([["2.5.4.3", STRINGS.utf8(text.repeat(count))]]);
  assertThrows(() => readName(long("a", LIMITS.maxDnBytes), "test"), "too_large");
  const beside = readName(long("a", 8_000), "test");
  const most = 8_000 + LIMITS.maxDnBytes - writeName(beside).length;
  assertEquals(writeName(readName(long("a", most), "test")).length, LIMITS.maxDnBytes);
  assertThrows(() => readName(long("a", most + 1), "test"), "too_large");
  // Nor is a name too large that only might be.
  assertEquals(canonicalDn(beside).length, "2.5.4.3=".length + 8_000);
  const prepared = (count: number) => canonicalDn([[{ type: "2.5.4.3", text: "a".repeat(count), der: EMPTY }]]);
  const rest = LIMITS.maxDnBytes - "2.5.4.3=".length;
  assertEquals(prepared(rest).length, LIMITS.maxDnBytes);
  assertThrows(() => prepared(rest + 1), "too_large");
  // One character of three bytes that NFKC turns into eighteen: small when read, huge when prepared.
  const name = readName(long("\ufdfa", 2000), "test");
  assertThrows(() => canonicalDn(name), "too_large");
});

const TYPES = ["2.5.4.3", "2.5.4.10", "2.5.4.6", "0.9.2342.19200300.100.1.25", "1.2.3.4", "2.5.4.45"] as const;

const anyAttribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.tuple(fc.constantFrom(...TYPES), fc.string({ unit: "binary", maxLength: 12 })).map(([type, text]) => (
    { type, text, der: utf8String(text) }
  )),
  fc.tuple(fc.constantFrom(...TYPES), fc.string({ unit: fc.constantFrom(...' \\"+,;<>#=\0a\u202e') })).map((
    [type, text],
  ) => ({ type, text, der: utf8String(text) })),
  fc.tuple(fc.constantFrom(...TYPES), fc.uint8Array({ maxLength: 8 })).map(([type, bytes]) => (
    { type, text: undefined, der: element(TAG.octetString, bytes) }
  )),
);
const anyName: fc.Arbitrary<Name> = fc.array(fc.array(anyAttribute, { minLength: 1, maxLength: 3 }), { maxLength: 5 });

Deno.test("parseName() reads back exactly what displayDn() wrote", () => {
  fc.assert(fc.property(anyName, (name) => {
    const shown = displayDn(name);
    const parsed = parseName(shown);
    assertEquals(displayDn(parsed), shown);
    assertEquals(canonicalDn(parsed), canonicalDn(name));
  }));
});

Deno.test("readName() reads back exactly what writeName() wrote", () => {
  fc.assert(fc.property(anyName, (name) => {
    const der = writeName(name);
    const read = readName(der, "test");
    assertEquals(toHex(writeName(read)), toHex(der));
    assertEquals(canonicalDn(read), canonicalDn(name));
  }));
});

Deno.test("parseDn() finds a name however it is spaced and capitalised, and no other (spec: ROW-12)", () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ09,+="\\#<>;'), minLength: 1, maxLength: 6 });
  const words = fc.array(word, { minLength: 1, maxLength: 4 });
  const escape = (text: string) => text.replace(/[",+;<>\\#=]/g, "\\$&");
  fc.assert(fc.property(words, words, fc.nat(3), (a, b, spaces) => {
    const plain = `CN=${escape(a.join(" "))},O=x`;
    const varied = ` cn = ${escape(a.join(" ".repeat(spaces + 1)).toUpperCase())}  , 2.5.4.10 = X `;
    assertEquals(parseDn(varied), parseDn(plain));
    const same = a.join(" ").toLowerCase() === b.join(" ").toLowerCase();
    assertEquals(parseDn(`CN=${escape(b.join(" "))},O=x`) === parseDn(plain), same);
  }));
});

Deno.test("parseDn() reads RFC 4514's own examples", () => {
  const cases: [text: string, canonical: string][] = [
    ["", ""],
    [
      "UID=jsmith,DC=example,DC=net",
      "0.9.2342.19200300.100.1.25=net,0.9.2342.19200300.100.1.25=example,0.9.2342.19200300.100.1.1=jsmith",
    ],
    ["OU=Sales+CN=J.  Smith,DC=example", "0.9.2342.19200300.100.1.25=example,2.5.4.11=sales+2.5.4.3=j. smith"],
    ['CN=James \\"Jim\\" Smith\\, III', '2.5.4.3=james \\"jim\\" smith\\, iii'],
    ["CN=Before\\0dAfter", "2.5.4.3=before after"],
    ["1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"],
    ["CN=Lu\\C4\\8Di\\C4\\87", "2.5.4.3=lu\u010di\u0107"],
    ['O="Sue, Grabbit and Runn", C=GB', "2.5.4.6=gb,2.5.4.10=sue\\, grabbit and runn"],
    ["CN=#0c0141", "2.5.4.3=a"],
    ["CN=", "2.5.4.3="],
    ["CN=\\ ,O=\\#a", "2.5.4.10=\\#a,2.5.4.3="],
    ["oid.2.5.4.3=x,E=a@b.c,S=t,x500UniqueIdentifier=y", "2.5.4.45=y,2.5.4.8=t,1.2.840.113549.1.9.1=a@b.c,2.5.4.3=x"],
  ];
  for (const [text, expected] of cases) assertEquals(parseDn(text) as string, expected, text);
});

Deno.test("parseDn() says where a typed name is wrong", () => {
  const cases: [text: string, position: number][] = [
    ["CN", 3],
    ["CN=a,", 6],
    ["CN=a,,O=b", 6],
    ["=a", 1],
    ["XY=a", 1],
    ["CN=a,FOO=b", 6],
    ["3.1=a", 1],
    ["2.5.04=a", 1],
    ["CN=a;O=b", 5],
    ['CN=a"b', 5],
    ["CN=a<b", 5],
    ["CN=\0", 4],
    ['CN="a', 4],
    ['CN="a" b', 8],
    ["CN=a\\", 5],
    ["CN=a\\z", 5],
    ["CN=\\C4", 4],
    ["CN=#", 5],
    ["CN=#0", 5],
    ["CN=#0c", 5],
    ["CN=#0c0241", 5],
    ["CN=#0c014100", 5],
    ["CN=#0c0141x", 11],
    ["CN=\ud800", 1],
  ];
  for (const [text, position] of cases) {
    const { message } = assertThrows(() => parseDn(text), "malformed");
    assert(message.includes(`character ${position}:`), `${JSON.stringify(text)}: ${message}`);
  }
});

Deno.test("parseDn() reads or refuses any text, never anything else", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(...'CNO=,+\\"# 2.5;0cF\u00eb'), maxLength: 30 }),
  );
  fc.assert(
    fc.property(text, (typed) => {
      try {
        parseDn(typed);
      } catch (error) {
        assertThrows(() => {
          throw error;
        }, "malformed");
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseDn() refuses more than the limit", () => {
  assertThrows(() => parseDn(`CN=${"a".repeat(LIMITS.maxDnBytes)}`), "too_large");
  assertThrows(() => parseDn(`CN=${"\ufdfa".repeat(2000)}`), "too_large");
});

Deno.test("displayDn() shows nothing that a terminal would act on", () => {
  const name = parseName("CN=\\1b[31mred\\E2\\80\\AEgnp.exe\\0a");
  assertEquals(displayDn(name), "CN=\\1B[31mred\\E2\\80\\AEgnp.exe\\0A");
});

import * as fc from "fast-check";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { type JsonValue, writeJson, writePlainList } from "../../../shared/manifest/json.ts";
import { readCanonicalJson, readJson } from "../../../shared/manifest/read_json.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const MAX = 100_000;
const read = (text: string) => readCanonicalJson(utf8(text), MAX, "the text");

/** No form has members with a number for a name, which the engine would put before all others. */
const names = fc.string({ unit: "grapheme" }).filter((name) => !/^[0-9]+$/.test(name));

const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.maxSafeNat(),
    fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4 }),
  ),
})).value;

Deno.test("MAN-01 what writeJson writes, readCanonicalJson reads, and writes the same again", () => {
  fc.assert(fc.property(values, (value) => {
    const text = writeJson(value);
    assertEquals(writeJson(read(text)), text);
    assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("MAN-01 what readCanonicalJson accepts, writeJson writes, whatever changed a text", () => {
  fc.assert(fc.property(values, fc.nat(), fc.constantFrom(...' {}[]:,"0a1\\\n'), (value, at, character) => {
    const text = writeJson(value);
    const place = at % (text.length + 1);
    // A surrogate that is left alone becomes U+FFFD in UTF-8.
    const changed = `${text.slice(0, place)}${character}${text.slice(place + at % 2)}`.toWellFormed();
    let again: JsonValue;
    try {
      again = read(changed);
    } catch {
      return;
    }
    assertEquals(writeJson(again), changed);
  }));
});

Deno.test("MAN-02 what readJson accepts in any spelling is what JSON.parse takes it for", () => {
  const piece = fc.constantFrom(
    ...' {}[]:,"0a1\\\n\t',
    "\\u0061",
    "\\ud83d",
    '"__proto__":1,',
    '"a":1,',
    "-",
    "e1",
    ".0",
    "null",
  );
  let accepted = 0;
  fc.assert(
    fc.property(values, fc.constantFrom(0, 1, "\t"), fc.nat(), fc.option(piece), (value, indent, at, change) => {
      const text = JSON.stringify(value, null, indent);
      const place = at % (text.length + 1);
      const changed = change === null ? text : `${text.slice(0, place)}${change}${text.slice(place)}`.toWellFormed();
      let ours: JsonValue;
      try {
        ours = readJson(utf8(changed), MAX, "the text").value;
      } catch {
        return;
      }
      accepted++;
      assertEquals(writeJson(ours), writeJson(JSON.parse(changed)));
    }),
    { numRuns: 500 },
  );
  assertEquals(accepted > 100, true);
});

Deno.test("MAN-02 readJson reads every value in another spelling, and says that it is one", () => {
  fc.assert(fc.property(values, (value) => {
    const text = ` ${JSON.stringify({ "\\": "\\\\", empty: [{}, []], '"': '\\"', value }, null, "\t")}\r\n`;
    const { value: read, isCanonical } = readJson(utf8(text), MAX, "the text");
    assertEquals([writeJson(read), isCanonical], [writeJson(JSON.parse(text)), false]);
  }));
});

Deno.test("MAN-01 members are sorted by UTF-16 code units, as in RFC 8785 section 3.2.3", () => {
  const members = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
  const sorted = '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}';
  assertEquals(writeJson(members), sorted);
  const { 1: _, ...named } = members;
  assertEquals(read(sorted.replace('"1":4,', "")), named);
  assertEquals(readJson(utf8(sorted), MAX, "the text").value, Object.assign(Object.create(null), members));
  assertThrows(() => read(sorted), "malformed");
});

Deno.test("MAN-01 canonical texts are read whatever their names mean to the engine, and whatever looks like an escape", () => {
  const names = ['{"__proto__":{"a":1},"a":2}', '{"toJSON":"a"}', '{"":1,"\\"":[],"a":{}}'];
  const strings = [
    '["\\\\ud800","\\\\\\\\ud800","\\u001f","\ufffd"]',
    '["\\\\","[[[[[[[[["]',
    '["\\"","\\\\\\"[[[[[[[[["]',
  ];
  const lists = ["[0,1,2,3,4,5,6,7,8,9,10,11]"];
  for (const text of [...names, ...strings, ...lists]) assertEquals(writeJson(read(text)), text);
});

Deno.test("writePlainList writes what writeJson writes of labels, base64 and hex", () => {
  const texts = ["postern/wrap/1", "+/8A=", "00ff", ""];
  for (let count = 1; count <= texts.length; count++) {
    assertEquals(writePlainList(...texts.slice(0, count)), writeJson(texts.slice(0, count)));
  }
});

Deno.test("writeJson refuses what has no canonical spelling", () => {
  for (const value of ["\ud800", 1.5, -1, 2 ** 53, NaN]) assertThrows(() => writeJson(value), "usage");
});

/** Refused whatever the spelling that is asked for. */
const REFUSED: readonly (readonly [string, string, ErrorCode?])[] = [
  ["nothing", ""],
  ["a byte order mark", '\ufeff{"a":1}'],
  ["a byte order mark before a text with a replacement character", '\ufeff{"a":"\ufffd"}'],
  ["duplicate members", '{"a":1,"a":2}'],
  ["duplicate members that are equal", '{"a":1,"a":1}'],
  ["duplicate members in two spellings", '{"a":1,"\\u0061":2}'],
  ["a duplicate __proto__", '{"__proto__":1,"__proto__":1}'],
  ["null", '{"a":null}'],
  ["a fraction", '{"a":1.0}'],
  ["an exponent", '{"a":1e3}'],
  ["a negative number", '{"a":-1}'],
  ["minus zero", '{"a":-0}'],
  ["a leading zero", '{"a":01}'],
  ["a plus", '{"a":+1}'],
  ["a number above 2^53-1", '{"a":9007199254740992}'],
  ["a number with very many digits", `{"a":${"9".repeat(400)}}`],
  ["NaN", '{"a":NaN}'],
  ["a lone surrogate, escaped", '{"a":"\\ud800"}'],
  ["a lone surrogate behind a backslash", '{"a":"\\\\\\ud800"}'],
  ["a lone surrogate behind another escape", '{"a":"\\n\\ud800"}'],
  ["a lone surrogate in a name", '{"\\udc00":1}'],
  ["a control character", '{"a":"\n"}'],
  ["an unknown escape", '{"a":"\\x41"}'],
  ["a string without end", '{"a":"\\"}'],
  ["single quotes", "{'a':1}"],
  ["a name that is a number, and nothing more", "{1"],
  ["a string without end, and nothing more", '"'],
  ["a name without its first quote", '{a":1}'],
  ["a comma at the end", '{"a":1,}'],
  ["a comma at the end of an array", '{"a":[1,]}'],
  ["a missing comma", '{"a":1"b":2}'],
  ["a missing colon", '{"a"1}'],
  ["a comment", '{"a":1/**/}'],
  ["something after the end", '{"a":1}{'],
  ["a second value", '{"a":1}1'],
  ["an object without end", '{"a":1'],
  ["true misspelled", '{"a":True}'],
  ["true with another end", "[trux]"],
  ["true cut off", '{"a":tru}'],
  ["nesting that is too deep", `${"[".repeat(9)}${"]".repeat(9)}`, "too_large"],
  ["nesting that is much too deep", "[".repeat(MAX), "too_large"],
];

for (const [what, text, code = "malformed"] of REFUSED) {
  Deno.test(`MAN-02 readJson refuses ${what}: ${code}`, () => {
    assertThrows(() => readJson(utf8(text), MAX, "the text"), code);
  });
}

/** Refused where the spelling must be canonical, and read otherwise. */
const RESPELLED: readonly (readonly [string, string])[] = [
  ["a line feed at the end", '{"a":1}\n'],
  ["white space", '{"a": 1}'],
  ["white space before", ' {"a":1}'],
  ["a carriage return", '{"a":1,\r\n"b":2}'],
  ["another order", '{"b":1,"a":2}'],
  ["a needless escape", '{"a":"\\u0041"}'],
  ["a needlessly escaped slash", '{"a":"\\/"}'],
  ["an escape in upper case", '{"a":"\\u001F"}'],
  ["a long escape", '{"a":"\\u000a"}'],
];

for (const [what, text] of RESPELLED) {
  Deno.test(`MAN-02 readCanonicalJson refuses ${what}`, () => {
    assertThrows(() => read(text), "malformed");
    assertEquals(readJson(utf8(text), MAX, "the text").isCanonical, false);
  });
}

Deno.test("MAN-02 readJson refuses bytes that are not UTF-8", () => {
  for (const bytes of [[0xff], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22]]) {
    assertThrows(() => readJson(new Uint8Array(bytes), MAX, "the text"), "malformed");
  }
});

Deno.test("MAN-03 readJson looks at the size before anything else", () => {
  assertThrows(() => readJson(new Uint8Array(MAX + 1).fill(0xff), MAX, "the text"), "too_large");
});

Deno.test("MAN-03 readJson counts values", () => {
  const many = `[${"1,".repeat(524_287)}1]`;
  assertThrows(() => readJson(utf8(many), many.length, "the text"), "too_large");
  const fewer = `[${"1,".repeat(524_286)}1]`;
  assertEquals((readJson(utf8(fewer), fewer.length, "the text").value as number[]).length, 524_287);
});

Deno.test("MAN-02 readJson refuses every control character in a string, wherever it stands, and takes what is next to them", () => {
  for (let length = 1; length <= 9; length++) {
    for (let at = 0; at < length; at++) {
      for (const code of [0, 1, 8, 9, 10, 13, 0x1f, 0x20, 0x21, 0x7f, 0x80, 0x9f, 0xff]) {
        const text = `"${"~".repeat(at)}${String.fromCharCode(code)}${"~".repeat(length - at - 1)}"`;
        // Anywhere in memory, too.
        const bytes = utf8(`${"x".repeat(at)}${text}`).subarray(at);
        if (code >= 0x20) assertEquals(readJson(bytes, 100, "it"), { value: text.slice(1, -1), isCanonical: true });
        else assertThrows(() => readJson(bytes, 100, "it"), "malformed");
      }
    }
  }
});

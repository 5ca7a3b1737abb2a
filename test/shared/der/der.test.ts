import fc from "fast-check";
import { assertEquals, assertThrows } from "../../assert.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { readTime } from "../../../shared/x509/asn1_time.ts";
import {
  DerReader,
  readBoolean,
  readInteger,
  readNamedBits,
  readOctetBits,
  readOid,
  readSmallInteger,
  readWhole,
  TAG,
} from "../../../shared/der/read.ts";
import { element, namedBits, octetBits, oid, time, unsigned } from "../../../shared/der/write.ts";

const content = (der: Uint8Array<ArrayBuffer>) => new DerReader(der, "test").next().content;

Deno.test("DerReader reads back what element() wrote, at each boundary of the length", () => {
  for (const length of [0, 1, 126, 127, 128, 129, 255, 256, 257, 65_535, 65_536]) {
    const bytes = new Uint8Array(length).fill(7);
    const der = element(TAG.octetString, bytes);
    assertEquals(readWhole(der, TAG.octetString, "test"), bytes);
    assertThrows(() => readWhole(der.subarray(0, -1), TAG.octetString, "test"), "malformed");
    assertThrows(() => readWhole(new Uint8Array([...der, 0]), TAG.octetString, "test"), "malformed");
  }
});

Deno.test("DerReader.next() takes only bytes that write the same again", () => {
  let read = 0;
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(255)).map(([body, at, byte]) => {
      const der = element(TAG.sequence, body);
      der[at % der.length] = byte;
      return der;
    }),
  );
  fc.assert(fc.property(bytes, (input) => {
    const copy = new Uint8Array(input);
    try {
      const { tag, content, whole } = new DerReader(copy, "test").next();
      assertEquals(toHex(element(tag, content)), toHex(whole));
      assertEquals(toHex(whole), toHex(copy.subarray(0, whole.length)));
      read++;
    } catch (error) {
      if (!isPosternError(error, "malformed")) throw error;
    }
  }));
  if (read === 0) throw new Error("no input was read: the property was never tried");
});

/** Encodings that BER allows or nothing does, and that must not pass. */
const REFUSED: readonly [why: string, read: (bytes: Uint8Array<ArrayBuffer>) => unknown, hex: string][] = [
  ["an indefinite length", content, "30800000"],
  ["a length not shortest, one octet", content, "308103020100"],
  ["a length not shortest, two octets", content, "308200030201" + "00"],
  ["a length of five octets", content, "30850000000001" + "00"],
  ["a tag above 30", content, "1f2100"],
  ["a tag above 30 that has a length behind it", content, "1f00"],
  ["128 octets behind an indefinite length", content, `0480${"00".repeat(128)}`],
  ["nothing", content, ""],
  ["a tag without a length", content, "30"],
  ["a length that is cut off", content, "3082"],
  ["an empty INTEGER", (b) => readInteger(b, "test"), ""],
  ["a positive INTEGER with a zero too many", (b) => readInteger(b, "test"), "007f"],
  ["a negative INTEGER with an octet too many", (b) => readInteger(b, "test"), "ff80"],
  ["a negative small INTEGER", (b) => readSmallInteger(b, "test"), "ff"],
  ["the least small INTEGER of one octet", (b) => readSmallInteger(b, "test"), "80"],
  ["a small INTEGER of 2^31", (b) => readSmallInteger(b, "test"), "0080000000"],
  ["BOOLEAN 1", (b) => readBoolean(b, "test"), "01"],
  ["BOOLEAN of two octets", (b) => readBoolean(b, "test"), "ffff"],
  ["an empty BOOLEAN", (b) => readBoolean(b, "test"), ""],
  ["a BIT STRING of seven bits where octets are needed", (b) => readOctetBits(b, "test"), "0180"],
  ["an empty BIT STRING", (b) => readOctetBits(b, "test"), ""],
  ["named bits with an unused bit set", (b) => readNamedBits(b, "test"), "0107"],
  ["named bits with eight unused", (b) => readNamedBits(b, "test"), "0800"],
  ["named bits with unused ones of nothing", (b) => readNamedBits(b, "test"), "01"],
  ["25 named bits", (b) => readNamedBits(b, "test"), "0701020380"],
  ["an empty OBJECT IDENTIFIER", (b) => readOid(b, "test"), ""],
  ["an OBJECT IDENTIFIER cut off", (b) => readOid(b, "test"), "5586"],
  ["an OBJECT IDENTIFIER cut off behind a zero", (b) => readOid(b, "test"), "558180"],
  ["an OBJECT IDENTIFIER that begins with a zero", (b) => readOid(b, "test"), "8055"],
  ["an arc with a leading zero", (b) => readOid(b, "test"), "558001"],
  ["an arc of 2^53", (b) => readOid(b, "test"), "559080808080808000"],
  ["an arc above 2^53", (b) => readOid(b, "test"), "55ffffffffffffff7f"],
];

for (const [why, read, hex] of REFUSED) {
  Deno.test(`DER readers refuse ${why}`, () => {
    assertThrows(() => read(fromHex(hex)), "malformed");
  });
}

Deno.test("DER readers read the largest of everything", () => {
  assertEquals(readSmallInteger(fromHex("7fffffff"), "test"), 2 ** 31 - 1);
  assertEquals(readNamedBits(fromHex("00800001"), "test"), 1 + 2 ** 23);
  assertEquals(readOid(fromHex("558fffffffffffff7f"), "test"), `2.5.${Number.MAX_SAFE_INTEGER}`);
  const large = element(TAG.octetString, new Uint8Array(2 ** 24));
  assertEquals([large.length, readWhole(large, TAG.octetString, "test").length], [2 ** 24 + 6, 2 ** 24]);
});

Deno.test("readOid() reads what oid() wrote, arcs of any size", () => {
  for (
    const known of [
      "2.5.4.3",
      "1.2.840.113549.1.1.11",
      "0.9.2342.19200300.100.1.25",
      "2.999.1",
      "2.16.840.1",
      "0.0",
      "1.39",
    ]
  ) {
    assertEquals(readOid(content(oid(known)), "test"), known);
  }
  const arcs = fc.array(fc.maxSafeNat(), { maxLength: 6 });
  fc.assert(fc.property(fc.nat(2), fc.nat(39), arcs, (root, second, rest) => {
    const dotted = [root, second, ...rest].join(".");
    assertEquals(readOid(content(oid(dotted)), "test"), dotted);
  }));
});

Deno.test("oid() refuses text that is no object identifier", () => {
  for (const text of ["", "2", "3.1", "1.40", "2.5.", ".2.5", "2.05", "2.5.4.-3", "2.5.x", "2.5.9007199254740993"]) {
    assertThrows(() => oid(text), "malformed");
  }
});

Deno.test("unsigned() writes the shortest INTEGER, with a sign octet where needed", () => {
  const cases = [["", "020100"], ["00", "020100"], ["7f", "02017f"], ["80", "02020080"], [
    "000080",
    "02020080",
  ]] as const;
  for (const [magnitude, der] of cases) assertEquals(toHex(unsigned(fromHex(magnitude))), der);
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (magnitude) => {
    const bytes = readInteger(content(unsigned(magnitude)), "test");
    assertEquals(BigInt(`0x${toHex(bytes)}`), BigInt(`0x${toHex(magnitude)}`));
  }));
});

Deno.test("readNamedBits() reads what namedBits() wrote", () => {
  for (let bits = 0; bits < 512; bits++) assertEquals(readNamedBits(content(namedBits(bits)), "test"), bits);
  assertEquals(toHex(namedBits(0)), "030100");
  assertEquals(toHex(namedBits(0b110_0000)), "03020106");
});

Deno.test("readNamedBits() reads trailing zero bits, which real roots have", () => {
  assertEquals(readNamedBits(fromHex("0006"), "test"), 0b110_0000);
});

Deno.test("readOctetBits() reads what octetBits() wrote", () => {
  assertEquals(toHex(readOctetBits(content(octetBits(fromHex("00ff"))), "test")), "00ff");
});

const readTimeOf = (der: Uint8Array<ArrayBuffer>) => readTime(new DerReader(der, "test").next(), "test");

Deno.test("readTime() reads what time() wrote, to the second", () => {
  const from = Date.UTC(1950, 0);
  const to = Date.UTC(9999, 11, 31, 23, 59, 59);
  for (const millis of [from, to, 0, Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0), Date.UTC(2024, 1, 29)]) {
    assertEquals(readTimeOf(time(millis)), millis);
  }
  fc.assert(fc.property(fc.integer({ min: from / 1000, max: to / 1000 }), fc.nat(999), (seconds, rest) => {
    assertEquals(readTimeOf(time(seconds * 1000 + rest)), seconds * 1000);
  }));
});

Deno.test("time() changes from UTCTime to GeneralizedTime in 2050 and refuses years it cannot write", () => {
  assertEquals(time(Date.UTC(2049, 11, 31))[0], TAG.utcTime);
  assertEquals(time(Date.UTC(2050, 0, 1))[0], TAG.generalizedTime);
  for (const millis of [Date.UTC(1949, 11, 31), Date.UTC(10_000, 0, 1), Number.NaN]) {
    assertThrows(() => time(millis), "unsupported");
  }
});

Deno.test("readTime() refuses every other way to write a time, and times that do not exist", () => {
  const utc = (text: string) => element(TAG.utcTime, new TextEncoder().encode(text));
  const general = (text: string) => element(TAG.generalizedTime, new TextEncoder().encode(text));
  const wrong = [
    ...["2601010000Z", "260101000000+0000", "260101000000", "26010100000 Z", "260101000060Z", "260101240000Z", ""].map(
      utc,
    ),
    ...["260230000000Z", "250229000000Z", "261301000000Z", "260100000000Z", "20260101000000Z"].map(utc),
    ...["20260101000000.5Z", "202601010000Z", "20260101000000+0100", "20260229000000Z", "99999999999999Z"].map(general),
    element(TAG.ia5String, new TextEncoder().encode("260101000000Z")),
  ];
  for (const der of wrong) assertThrows(() => readTimeOf(der), "malformed");
});

import { Buffer } from "node:buffer";
import { cdeDecodeOptions, cdeEncodeOptions, decode as oracleDecode, encode as oracleEncode } from "cbor2";
import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { type CborInput, type CborValue, decodeCbor, encodeCbor, uintAt } from "../../../shared/bytes/cbor.ts";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";

/** Maps as the decoder returns them: without a prototype. */
function map(entries: Record<string, CborValue>): CborValue {
  return Object.assign(Object.create(null), entries);
}

const bytes = (hex: string) => fromHex(hex);

/** RFC 8949 appendix A, as far as it lies within the data model. */
const EXAMPLES: readonly [hex: string, value: CborValue][] = [
  ["00", 0],
  ["01", 1],
  ["0a", 10],
  ["17", 23],
  ["1818", 24],
  ["1819", 25],
  ["1864", 100],
  ["1903e8", 1000],
  ["1a000f4240", 1000000],
  ["1b000000e8d4a51000", 1000000000000],
  ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
  ["20", -1],
  ["29", -10],
  ["3863", -100],
  ["3903e7", -1000],
  ["3b001ffffffffffffe", Number.MIN_SAFE_INTEGER],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["40", bytes("")],
  ["4401020304", bytes("01020304")],
  ["60", ""],
  ["6161", "a"],
  ["6449455446", "IETF"],
  ["62225c", '"\\'],
  ["62c3bc", "ü"],
  ["63e6b0b4", "水"],
  ["64f0908591", "𐅑"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["98190102030405060708090a0b0c0d0e0f101112131415161718181819", Array.from({ length: 25 }, (_, i) => i + 1)],
  ["a0", map({})],
  ["a26161016162820203", map({ a: 1, b: [2, 3] })],
  ["826161a161626163", ["a", map({ b: "c" })]],
  ["a56161614161626142616361436164614461656145", map({ a: "A", b: "B", c: "C", d: "D", e: "E" })],
];

Deno.test("encodeCbor() and decodeCbor() agree with the examples of RFC 8949 appendix A, CONV-01", () => {
  for (const [hex, value] of EXAMPLES) {
    assertEquals(toHex(encodeCbor(value)), hex);
    assertEquals(decodeCbor(bytes(hex)), value);
  }
});

Deno.test("encodeCbor() uses the shortest head on both sides of each boundary", () => {
  const heads: readonly [size: number, hex: string][] = [
    [23, "17"],
    [24, "1818"],
    [255, "18ff"],
    [256, "190100"],
    [65_535, "19ffff"],
    [65_536, "1a00010000"],
    [4_294_967_295, "1affffffff"],
    [4_294_967_296, "1b0000000100000000"],
  ];
  for (const [size, hex] of heads) assertEquals(toHex(encodeCbor(size)), hex);
  for (const size of [0, 1, 23, 24, 255, 256, 511, 512, 513, 65_535, 65_536]) {
    const value = [new Uint8Array(size).fill(7), "x".repeat(size), size];
    assertEquals(decodeCbor(encodeCbor(value)), value);
  }
});

const CASES_MALFORMED: Record<string, string> = {
  "nothing at all": "",
  "an integer one byte too long": "1817",
  "an integer two bytes too long": "1900ff",
  "an integer four bytes too long": "1a0000ffff",
  "an integer eight bytes too long": "1b00000000ffffffff",
  "a negative integer too long": "3817",
  "an integer above 2^53 - 1": "1b0020000000000000",
  "the largest integer": "1bffffffffffffffff",
  "a negative integer below -(2^53 - 1)": "3b001fffffffffffff",
  "a length too long": "580100",
  "a byte string cut off": "43aabb",
  "a byte string of a length beyond 2^53": "5bffffffffffffffff",
  "a text cut off": "6361",
  "a text that is not UTF-8": "61ff",
  "a text with an encoded surrogate": "63eda080",
  "a text with an overlong form": "62c080",
  "an array cut off": "8201",
  "an array of 2^64 - 1 items": "9bffffffffffffffff",
  "a map cut off": "a16161",
  "a map of 2^64 - 1 items": "bbffffffffffffffff",
  "an indefinite array": "9f01ff",
  "an indefinite map": "bf616101ff",
  "an indefinite byte string": "5f4101ff",
  "an indefinite text": "7f6161ff",
  "a break alone": "ff",
  "a map whose key is a number": "a10102",
  "a map whose key is a byte string": "a1416102",
  "a map whose key is an indefinite text": "a17f6161ff01",
  "a map with a key twice": "a2616101616102",
  "map keys of equal length out of order": "a2616202616101",
  "map keys with the longer first": "a262616101616202",
  "a half float": "f93c00",
  "a single float": "fa47c35000",
  "a double float": "fb3ff199999999999a",
  "not a number": "f97e00",
  undefined: "f7",
  "an unassigned simple value": "f0",
  "a two-byte simple value": "f8ff",
  "null in two bytes": "f816",
  "reserved additional information": "1c",
  "a date": "c11a514b67b0",
  "a bignum": "c249010000000000000000",
  "a self-description": "d9d9f701",
  "bytes after the end": "0000",
};

for (const [name, hex] of Object.entries(CASES_MALFORMED)) {
  Deno.test(`decodeCbor() throws malformed for ${name}`, () => {
    assertThrows(() => decodeCbor(bytes(hex)), "malformed");
    // And no less when it lies inside of something well made.
    if (hex !== "" && hex !== "0000") assertThrows(() => decodeCbor(bytes("81" + hex)), "malformed");
  });
}

/** A value of `depth` containers, alternately arrays and maps. */
function nested(depth: number): CborInput {
  let value: CborInput = 7;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { k: value };
  return value;
}

Deno.test("encodeCbor() and decodeCbor() take exactly LIMITS.maxCborDepth levels", () => {
  const deepest = encodeCbor(nested(LIMITS.maxCborDepth));
  assertEquals(encodeCbor(decodeCbor(deepest)), deepest);
  assertThrows(() => encodeCbor(nested(LIMITS.maxCborDepth + 1)), "malformed");
  for (const level of ["81", "a1616b"]) {
    const at = (depth: number) => bytes(level.repeat(depth) + "07");
    assertEquals(encodeCbor(decodeCbor(at(LIMITS.maxCborDepth))), at(LIMITS.maxCborDepth));
    assertThrows(() => decodeCbor(at(LIMITS.maxCborDepth + 1)), "malformed");
    assertThrows(() => decodeCbor(at(100_000)), "malformed");
  }
});

Deno.test("encodeCbor() sorts keys of one length by their bytes, and counts levels below maps as below arrays", () => {
  assertEquals(toHex(encodeCbor({ b: 1, a: 2, c: 3 })), "a3616102616201616303");
  assertEquals(toHex(encodeCbor({ "\u00e9": 1, aa: 2 })), "a26261610262c3a901");
  let maps: CborInput = 7;
  for (let i = 0; i < LIMITS.maxCborDepth; i++) maps = { k: maps };
  encodeCbor(maps);
  assertThrows(() => encodeCbor({ k: maps }), "malformed");
});

Deno.test("encodeCbor() gives texts their length in UTF-8, on both sides of each boundary", () => {
  for (const text of ["\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"]) {
    for (const times of [1, 2, 7, 30]) {
      const repeated = text.repeat(times);
      assertEquals(encodeCbor(repeated), oracleEncode(repeated, cdeEncodeOptions) as Bytes);
    }
  }
});

Deno.test("encodeCbor() sorts keys of one length by their bytes where that is not the order of their code units", () => {
  const [plane, private_] = ["\u{10000}", "\ue000a"];
  assert(plane < private_);
  assertEquals(toHex(encodeCbor({ [plane]: 1, [private_]: 2 })), "a264ee8080610264f090808001");
});

Deno.test("decodeCbor() tells long keys apart to their last byte", () => {
  for (const length of [23, 24, 255, 256]) {
    const [a, b] = ["a", "b"].map((last) => "k".repeat(length - 1) + last);
    const map = encodeCbor({ [a ?? ""]: 1, [b ?? ""]: 2 });
    assertEquals(encodeCbor(decodeCbor(map)), map);
    // The second key made like the first, with a value that is greater.
    const at = map.length - 2;
    assertThrows(() => decodeCbor(map.with(at, 0x61)), "malformed");
  }
});

Deno.test("decodeCbor() gives nothing in the place of a tag, a float or another simple value", () => {
  for (const item of ["c100", "c1", "d81800", "f90000", "fa00000000", "f7", "f0", "f820"]) {
    for (const head of ["", "81", "82", "a1616b"]) {
      for (const tail of ["", "00"]) assertThrows(() => decodeCbor(bytes(head + item + tail)), "malformed");
    }
  }
});

Deno.test("decodeCbor() throws too_large before it reads when the bytes exceed the limit", () => {
  const garbage = new Uint8Array(LIMITS.maxBodyBytes + 1).fill(0xff);
  assertThrows(() => decodeCbor(garbage), "too_large");
  assertThrows(() => decodeCbor(bytes("820102"), { maxBytes: 2 }), "too_large");
  assertEquals(decodeCbor(bytes("820102"), { maxBytes: 3 }), [1, 2]);
});

Deno.test("decodeCbor() keeps keys such as __proto__ as plain data", () => {
  const value = decodeCbor(encodeCbor(JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}')));
  assert(value !== null && typeof value === "object");
  assertEquals(Object.getPrototypeOf(value), null);
  assertEquals(Object.keys(value).sort(), ["__proto__", "constructor", "toString"]);
  assertEquals((value as Record<string, unknown>)["admin"], undefined);
});

Deno.test("decodeCbor() returns byte strings that do not alias the input", () => {
  for (const input of [encodeCbor([bytes("010203")]), Buffer.from(encodeCbor([bytes("010203")]))]) {
    const value = decodeCbor(input);
    input.fill(0xff);
    assertEquals(value, [bytes("010203")]);
  }
});

Deno.test("decodeCbor() gives views of what it reads only when they are asked for, and the same values", () => {
  const encoded = encodeCbor([1, bytes("010203"), { a: bytes("04") }]);
  const views = decodeCbor(encoded, { views: true });
  assertEquals(views, decodeCbor(encoded));
  encoded.fill(9);
  assert(Array.isArray(views));
  assertEquals(views[1], bytes("090909"));
});

Deno.test("decodeCbor() reads no more items than the caller knows there to be, keys and what lies inside included", () => {
  const encoded = encodeCbor([1, { a: [2] }]);
  assertEquals(toHex(encodeCbor(decodeCbor(encoded, { maxItems: 6 }))), toHex(encoded));
  assertThrows(() => decodeCbor(encoded, { maxItems: 5 }), "malformed");
});

Deno.test("encodeCbor() writes into the room that it is given", () => {
  const room = new Uint8Array(16).fill(0xff);
  const value = [bytes("0102"), "a"];
  const encoded = encodeCbor(value, (length) => room.subarray(3, 3 + length));
  assertEquals(encoded, encodeCbor(value));
  assertEquals(encoded.buffer, room.buffer);
  assertEquals([room[2], room[3 + encoded.length]], [0xff, 0xff]);
});

Deno.test("decodeCbor() reads a view in the middle of a buffer", () => {
  const buffer = bytes("ffff8201420203ffff");
  assertEquals(decodeCbor(buffer.subarray(2, 7)), [1, bytes("0203")]);
});

Deno.test("encodeCbor() encodes a subclass of Uint8Array as the byte string it is", () => {
  assertEquals(toHex(encodeCbor(Buffer.from("0102", "hex"))), "420102");
});

Deno.test("encodeCbor() throws usage for values outside of the data model", () => {
  const values: unknown[] = [
    undefined,
    0.5,
    NaN,
    Infinity,
    -0,
    2 ** 53,
    1n,
    Symbol("a"),
    () => 1,
    new Date(0),
    new Map([["a", 1]]),
    new Set([1]),
    new Uint16Array(2),
    new ArrayBuffer(2),
    new (class Point {
      x = 1;
    })(),
    { toJSON: () => "other" },
    { a: undefined },
    [undefined],
    Array(1),
  ];
  for (const value of values) assertThrows(() => encodeCbor(value as CborInput), "usage");
});

Deno.test("encodeCbor() throws malformed for a lone surrogate in a text or key", () => {
  for (const value of ["\ud800", "a\udc00b", { "\ud800": 1 }]) assertThrows(() => encodeCbor(value), "malformed");
});

const text = () => fc.string({ unit: "binary", maxLength: 30 }).filter((value) => value.isWellFormed());

const { value: anyValue } = fc.letrec<{ value: CborInput }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((number) => number + 0),
    fc.integer({ min: -300, max: 300 }).map((number) => number + 0),
    text(),
    fc.uint8Array({ maxLength: 300 }).map((value) => new Uint8Array(value)),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(text(), tie("value"), { maxKeys: 6 }),
  ),
}));

Deno.test("encodeCbor() writes what cbor2 writes, and decodeCbor() reads what cbor2 reads", () => {
  fc.assert(fc.property(anyValue, (value) => {
    const encoded = encodeCbor(value);
    assertEquals(encoded, oracleEncode(value, cdeEncodeOptions) as typeof encoded);
    assertEquals(encodeCbor(decodeCbor(encoded)), encoded);
    assertEquals(withoutPrototypes(oracleDecode(encoded, cdeDecodeOptions)), decodeCbor(encoded));
  }));
});

Deno.test("decodeCbor() accepts changed bytes only if they encode to themselves", () => {
  const changed = fc.tuple(
    anyValue,
    fc.nat(),
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom("set", "insert", "cut"),
  );
  let accepted = 0;
  fc.assert(
    fc.property(changed, ([value, position, byte, change]) => {
      const original = encodeCbor(value);
      const at = position % original.length;
      const skipped = change === "insert" ? 0 : 1;
      const middle = change === "cut" ? [] : [byte];
      const mutated = new Uint8Array([...original.subarray(0, at), ...middle, ...original.subarray(at + skipped)]);
      accepted += acceptsCanonically(mutated) ? 1 : 0;
    }),
    { numRuns: 3000 },
  );
  assert(accepted > 100, `only ${accepted} mutations were accepted, too few to say anything`);
});

Deno.test("decodeCbor() accepts random bytes only if they encode to themselves", () => {
  const random = fc.array(fc.oneof(fc.constantFrom(0x80, 0x81, 0x82, 0xa0, 0xa1, 0x40, 0x61, 0x18, 0x19), fc.nat(255)));
  fc.assert(fc.property(random, (list) => void acceptsCanonically(new Uint8Array(list))), { numRuns: 3000 });
});

function acceptsCanonically(candidate: Uint8Array): boolean {
  let value: CborValue;
  try {
    value = decodeCbor(candidate);
  } catch (error) {
    assert(isPosternError(error, "malformed"), String(error));
    return false;
  }
  assert(equalBytes(encodeCbor(value), candidate));
  return true;
}

function withoutPrototypes(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value as CborValue;
  const plain = Object.create(null);
  for (const [key, inner] of Object.entries(value)) plain[key] = withoutPrototypes(inner);
  return plain;
}

Deno.test("uintAt() reads what encodeCbor() writes, wherever it stands, and takes and refuses what decodeCbor() does", () => {
  const anyPlace = fc.nat(3);
  fc.assert(fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(70_000)), anyPlace, (number, at) => {
    const written = new Uint8Array([...new Uint8Array(at).fill(0xff), ...encodeCbor(number), 0xff]);
    assertEquals(uintAt(written, at), number);
  }));
  const refused = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      assert(isPosternError(error, "malformed"));
      return null;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 9 }), fc.integer({ min: 0x14, max: 0x1d }), (rest, first) => {
    const bytes = new Uint8Array([first, ...rest]);
    const length = first < 24 ? 1 : 1 + 2 ** (first - 24);
    assertEquals(refused(() => uintAt(bytes, 0)), refused(() => decodeCbor(bytes.slice(0, length))));
  }));
  for (
    const hex of [
      "",
      "20",
      "40",
      "1800",
      "1817",
      "190000",
      "1900ff",
      "1a0000ffff",
      "1b00000000ffffffff",
      "1b0020000000000000",
    ]
  ) {
    assertThrows(() => uintAt(bytes(hex), 0), "malformed");
  }
});

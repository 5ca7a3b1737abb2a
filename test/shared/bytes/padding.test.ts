import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { MIN_PADDED_BYTES, pad, paddedLength, unpad, unpadFurther } from "../../../shared/bytes/padding.ts";
import { isPosternError } from "../../../shared/errors.ts";

Deno.test("paddedLength() gives the PADMÉ lengths at the boundaries", () => {
  // With the mark counted: 257 needs 9 bits, of which 4 after the leading one may be set, so the unit is 16 bytes.
  const table: [length: number, padded: number][] = [
    [0, 256],
    [1, 256],
    [255, 256],
    [256, 272],
    [271, 272],
    [272, 288],
    [511, 512],
    [512, 544],
    [1023, 1024],
    [65_535, 65_536],
    [65_536, 67_584],
    [1_000_000, 1_015_808],
    [26_214_400, 26_738_688],
  ];
  for (const [length, padded] of table) assertEquals(paddedLength(length), padded, `of ${length}`);
});

Deno.test("paddedLength() costs at most 12 percent and agrees with the paper's own formula", () => {
  const MAX_OVERHEAD = 0.12;
  fc.assert(fc.property(fc.integer({ min: MIN_PADDED_BYTES, max: 2 ** 31 - 2 }), (length) => {
    const padded = paddedLength(length);
    const bits = BigInt(length + 1).toString(2).length - 1;
    const zeros = BigInt(bits - bits.toString(2).length);
    const mask = (1n << zeros) - 1n;
    assertEquals(BigInt(padded), (BigInt(length + 1) + mask) & ~mask);
    assert(padded <= (length + 1) * (1 + MAX_OVERHEAD));
  }));
});

Deno.test("paddedLength() throws usage when the length is negative, fractional or huge", () => {
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 31 - 1]) assertThrows(() => paddedLength(length), "usage");
});

Deno.test("unpad() gives back what pad() took, also when it ends like padding", () => {
  const tail = fc.uint8Array({ maxLength: 4 }).map((bytes) => bytes.map((byte) => (byte % 2 === 0 ? 0 : 0x80)));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), tail, (head, end) => {
    const plaintext = new Uint8Array([...head, ...end]);
    const padded = pad(plaintext);
    assertEquals(padded.length, paddedLength(plaintext.length));
    assertEquals(unpad(padded), plaintext);
  }));
});

Deno.test("unpad() accepts bytes only if pad() makes them again", () => {
  const candidate = fc.tuple(fc.uint8Array({ maxLength: 600 }), fc.nat(600)).map(([bytes, zeros]) =>
    new Uint8Array([...bytes, 0x80, ...new Uint8Array(zeros)])
  );
  fc.assert(fc.property(candidate, (bytes) => {
    try {
      assertEquals(pad(unpad(bytes)), bytes);
    } catch (error) {
      assert(isPosternError(error, "malformed"), String(error));
    }
  }));
});

Deno.test("unpad() throws malformed when the mark is missing or the length is not padded", () => {
  const padded = pad(new Uint8Array([1, 2, 3]));
  const cases = [
    new Uint8Array(0),
    new Uint8Array(256),
    padded.subarray(0, 255),
    new Uint8Array([...padded, 0]),
    padded.map((byte, at) => (at === 3 ? 0x81 : byte)),
    new Uint8Array(256).fill(1),
    // The mark so late that the length should have been the next one.
    new Uint8Array([...new Uint8Array(256).fill(7), 0x80, 0, 0]),
  ];
  for (const bytes of cases) assertThrows(() => unpad(bytes), "malformed");
});

Deno.test("unpad() returns a copy", () => {
  const padded = pad(new Uint8Array([1, 2, 3]));
  const plaintext = unpad(padded);
  padded.fill(0);
  assertEquals(plaintext, new Uint8Array([1, 2, 3]));
});

Deno.test("unpadFurther() takes what is padded to any longer length of the kind, and no other, ROW-03", () => {
  const lengths = fc.tuple(fc.uint8Array({ maxLength: 700 }), fc.nat(5_000));
  fc.assert(fc.property(lengths, ([plaintext, more]) => {
    const length = paddedLength(plaintext.length + more);
    const padded = pad(plaintext, new Uint8Array(length));
    assertEquals(unpadFurther(padded), plaintext);
    assertThrows(() => unpadFurther(new Uint8Array([...padded, 0])), "malformed");
    if (length > paddedLength(plaintext.length)) assertThrows(() => unpad(padded), "malformed");
  }));
  const late = new Uint8Array([...new Uint8Array(256).fill(7), 0x80]);
  for (const bytes of [new Uint8Array(0), new Uint8Array(256), late]) {
    assertThrows(() => unpadFurther(bytes), "malformed");
  }
});

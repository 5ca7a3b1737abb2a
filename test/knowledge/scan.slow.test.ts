/** The scanner of this folder finds what it must find, so that its silence about the edge means something. */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { assert, assertEquals } from "../assert.ts";
import { bytesMark, type Mark, newToken, textMark } from "./marks.ts";
import { Matcher } from "./matcher.ts";
import { BYTE_PLANTINGS, type Planting, PLANTINGS, TEXT_PLANTINGS } from "./plantings.ts";
import { Scanner } from "./scan.ts";

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const around = fc.record({ before: bytes(0, 40), after: bytes(0, 40) });
const seed = fc.uint8Array({ minLength: 16, maxLength: 16 });
const byteMarks: fc.Arbitrary<Mark> = fc.uint8Array({ minLength: 16, maxLength: 60 })
  .filter((array) => new Set(array).size > 10)
  .map((array) => bytesMark("mark", new Uint8Array(array)));
/** Letters of both cases, digits, and what is escaped in URLs, JSON and quoted-printable. */
const textMarks: fc.Arbitrary<Mark> = seed.filter((array) => new Set(array).size > 10)
  .map((array) => textMark("mark", `Zoë=%"\\${Buffer.from(array).toString("hex")}Ünïcode, O=Größe/${array.join("x")}`));

/** Runs of one test; the whole table is run, so few of each are many in all. */
const RUNS = 12;

function findsIn(planting: Planting, marks: fc.Arbitrary<Mark>): void {
  fc.assert(
    fc.property(marks, around, (mark, surroundings) => {
      const found = new Scanner([mark]).find({ where: "there", bytes: planting(mark, surroundings) });
      assert(found.length > 0);
      assertEquals(new Set(found.map(({ mark, where }) => `${mark} ${where}`)), new Set(["mark there"]));
    }),
    { numRuns: RUNS },
  );
}

for (const [name, planting] of Object.entries({ ...PLANTINGS, ...TEXT_PLANTINGS })) {
  Deno.test(`Scanner.find() finds a text when it stands there as ${name}`, () => findsIn(planting, textMarks));
}

for (const [name, planting] of Object.entries({ ...PLANTINGS, ...BYTE_PLANTINGS })) {
  Deno.test(`Scanner.find() finds a key when it stands there as ${name}`, () => findsIn(planting, byteMarks));
}

Deno.test("Scanner.find() finds nothing when the bytes are random", () => {
  const marks = Array.from({ length: 50 }, (_, index) => [
    textMark(`text ${index}`, newToken(webCryptoRandom)),
    bytesMark(`key ${index}`, webCryptoRandom(32)),
  ]).flat();
  const noise = Array.from({ length: 16 }, () => webCryptoRandom(65_536));
  assertEquals(new Scanner(marks).findAll(noise.map((bytes) => ({ where: "noise", bytes }))), []);
});

Deno.test("Scanner.findAll() tells which mark stands where when there are many", () => {
  const marks = Array.from({ length: 20 }, (_, index) => textMark(`mark ${index}`, newToken(webCryptoRandom)));
  const captured = marks.map((mark, index) => ({ where: `place ${index}`, bytes: mark.bytes }));
  const found = new Scanner(marks).findAll(captured).filter(({ how }) => how === "as it is");
  assertEquals(
    found.map(({ mark, where }) => [mark, where]),
    marks.map((mark, index) => [mark.name, `place ${index}`]),
  );
});

Deno.test("Matcher.find() finds the same places as a search for each needle when they overlap", () => {
  const letters = fc.array(fc.constantFrom(0, 1, 255), { minLength: 4, maxLength: 7 }).map((a) => Uint8Array.from(a));
  const texts = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 400 }).map((a) => Uint8Array.from(a));
  fc.assert(fc.property(fc.array(letters, { maxLength: 30 }), texts, (patterns, text) => {
    const needles = patterns.map((bytes, index) => ({ mark: String(index), spelling: "", bytes }));
    const places = new Matcher(needles).find(text).map(({ needle, at }) => `${needle.mark} at ${at}`);
    const expected = needles.flatMap(({ mark, bytes }) =>
      text.keys().filter((at) => bytes.every((byte, i) => text[at + i] === byte)).map((at) => `${mark} at ${at}`)
        .toArray()
    );
    assertEquals(places.toSorted(), expected.toSorted());
  }));
});

import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { coordinateBytes, type Curve } from "../../../shared/crypto/ec_point.ts";
import { ecdsaDerFromRaw, ecdsaRawFromDer } from "../../../shared/crypto/ecdsa_der.ts";
import { isPosternError } from "../../../shared/errors.ts";

const CURVES: readonly Curve[] = ["P-256", "P-384", "P-521"];

/** Two numbers above 0, often with zeros in front or the top bit set. */
function rawSignature(curve: Curve) {
  const size = coordinateBytes(curve);
  const half = fc.tuple(fc.nat(size - 1), fc.uint8Array({ minLength: size, maxLength: size })).map(([zeros, bytes]) => {
    bytes.fill(0, 0, zeros);
    bytes[size - 1] = (bytes[size - 1] ?? 0) | 1;
    return bytes;
  });
  return fc.tuple(half, half).map(([r, s]) => new Uint8Array([...r, ...s]));
}

Deno.test("ecdsaRawFromDer() gives back what ecdsaDerFromRaw() took", () => {
  for (const curve of CURVES) {
    fc.assert(fc.property(rawSignature(curve), (raw) => {
      assertEquals(ecdsaRawFromDer(ecdsaDerFromRaw(raw, curve), curve), raw);
    }));
  }
});

Deno.test("ecdsaRawFromDer() accepts changed bytes only if they encode to themselves", () => {
  const changed = fc.tuple(rawSignature("P-256"), fc.nat(), fc.nat(255));
  let accepted = 0;
  fc.assert(
    fc.property(changed, ([raw, position, byte]) => {
      const der = ecdsaDerFromRaw(raw, "P-256");
      der[position % der.length] = byte;
      try {
        assertEquals(ecdsaDerFromRaw(ecdsaRawFromDer(der, "P-256"), "P-256"), der);
        accepted++;
      } catch (error) {
        assert(isPosternError(error, "malformed"), String(error));
      }
    }),
    { numRuns: 1000 },
  );
  assert(accepted > 100);
});

const MALFORMED: Record<string, string> = {
  "nothing": "",
  "an empty sequence": "3000",
  "one number": "3003020101",
  "three numbers": "3009020101020101020101",
  "bytes after the end": "300602010102010100",
  "a long form length": "308106020101020101",
  "an indefinite length": "30800201010201010000",
  "a zero number": "3006020100020101",
  "an empty number": "30050200020101",
  "a negative number": "3006020181020101",
  "the negative number that is nearest to being none": "3006020180020101",
  "a number with a needless zero": "300702020001020101",
  "an octet string": "3006040101020101",
  "a set": "3106020101020101",
  "a number of 33 bytes": "3026022101" + "00".repeat(32) + "020101",
};

for (const [name, hex] of Object.entries(MALFORMED)) {
  Deno.test(`ecdsaRawFromDer() throws malformed for ${name}`, () => {
    assertThrows(() => ecdsaRawFromDer(fromHex(hex), "P-256"), "malformed");
  });
}

Deno.test("ecdsaRawFromDer() fills up short numbers", () => {
  const raw = ecdsaRawFromDer(fromHex("3006020101020102"), "P-256");
  assertEquals(toHex(raw), "00".repeat(31) + "01" + "00".repeat(31) + "02");
});

Deno.test("ecdsaDerFromRaw() throws malformed for a wrong length or a zero number", () => {
  const one = new Uint8Array(64).fill(1);
  for (
    const raw of [
      one.slice(1),
      new Uint8Array(65).fill(1),
      new Uint8Array(0),
      one.map((_, at) => at < 32 ? 0 : 1),
    ]
  ) {
    assertThrows(() => ecdsaDerFromRaw(raw, "P-256"), "malformed");
  }
  assertThrows(() => ecdsaDerFromRaw(one, "P-384"), "malformed");
});

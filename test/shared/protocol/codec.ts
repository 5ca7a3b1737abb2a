/** What every codec must hold, as properties: what it writes it reads, and whatever else it reads is what it would write. */
import fc from "fast-check";
import { assertEquals } from "../../assert.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";

/** Errors that bytes of another form may meet; anything else, a TypeError above all, is a bug. */
const REFUSALS: readonly ErrorCode[] = ["malformed", "too_large"];

/** One change to bytes: a byte replaced, bytes cut off, put in, or taken out. */
export const damage = fc.oneof(
  fc.record({ kind: fc.constant("replace"), at: fc.nat(), byte: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat(), byte: fc.constant(0) }),
  fc.record({ kind: fc.constant("insert"), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant("remove"), at: fc.nat(), byte: fc.constant(0) }),
);

export type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** The damaged copy; never the same bytes, unless they were empty. */
export function damaged(bytes: Bytes, { kind, at, byte }: Damage): Bytes {
  const index = at % Math.max(1, bytes.length);
  const copy = [...bytes];
  if (kind === "replace") copy[index] = (copy[index] ?? 0) ^ byte;
  if (kind === "cut") copy.length = index;
  if (kind === "insert") copy.splice(at % (bytes.length + 1), 0, byte);
  if (kind === "remove") copy.splice(index, 1);
  return Uint8Array.from(copy);
}

/** Runs both properties on one codec. */
export function checkCodec<T>(
  arbitrary: fc.Arbitrary<T>,
  encode: (value: T) => Bytes,
  decode: (bytes: Bytes) => T,
  numRuns = 100,
): void {
  fc.assert(
    fc.property(arbitrary, (value) => {
      assertEquals(decode(encode(value)), value);
    }),
    { numRuns },
  );
  let refused = 0;
  fc.assert(
    fc.property(arbitrary, damage, (value, change) => {
      const bytes = damaged(encode(value), change);
      let decoded: T;
      try {
        decoded = decode(bytes);
      } catch (error) {
        if (!isPosternError(error) || !REFUSALS.includes(error.code)) throw error;
        refused += 1;
        return;
      }
      assertEquals(toHex(encode(decoded)), toHex(bytes), "two spellings of one value");
    }),
    { numRuns: 2 * numRuns },
  );
  if (refused === 0) throw new Error("no damage was ever refused: is it the codec that is tested?");
}

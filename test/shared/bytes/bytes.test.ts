import { assert, assertEquals } from "../../assert.ts";
import { compareBytes, concat, equalBytes } from "../../../shared/bytes/bytes.ts";

const of = (...bytes: number[]) => Uint8Array.from(bytes);

Deno.test("equalBytes() wants the same bytes, and as many", () => {
  for (const bytes of [of(), of(0), of(1, 2, 3)]) assert(equalBytes(bytes, bytes.slice()));
  const others = [[of(), of(0)], [of(1, 2), of(1, 2, 3)], [of(1, 2), of(1, 3)], [of(1, 2), of(0, 2)]] as const;
  for (const [a, b] of others) assert(!equalBytes(a, b) && !equalBytes(b, a));
});

Deno.test("compareBytes() orders by the first byte that differs, and puts what is shorter first", () => {
  const ascending = [of(), of(0), of(0, 0), of(0, 255), of(1), of(1, 0), of(1, 1), of(128), of(255, 0, 1), of(255, 1)];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) assertEquals(Math.sign(compareBytes(a, b)), Math.sign(i - j));
  }
});

Deno.test("concat() puts one behind the other", () => {
  assertEquals(concat(of(1, 2), of(), of(3)), of(1, 2, 3));
  assertEquals(concat(), of());
});

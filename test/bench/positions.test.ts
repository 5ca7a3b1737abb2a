import { somePositions } from "../../bench/fixtures/positions.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("somePositions() gives different positions from 1 to the last, and each of them in the end", () => {
  for (const [count, last] of [[0, 5], [1, 1], [100, 999], [50, 50]] as const) {
    const positions = somePositions(count, last);
    assertEquals(new Set(positions).size, count);
    assert(positions.every((position) => Number.isInteger(position) && position >= 1 && position <= last));
  }
});

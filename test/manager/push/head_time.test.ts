import fc from "fast-check";
import { headTime } from "../../../manager/push/head.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const NOW = 1_800_000_000_000;

Deno.test("headTime() never goes back behind an earlier head, HEAD-05", () => {
  fc.assert(fc.property(fc.integer({ min: -LIMITS.maxClockLeadMillis, max: LIMITS.maxHeadGapMillis }), (later) => {
    const time = headTime(NOW, NOW + later);
    assert(time >= NOW);
    assertEquals(time, Math.max(NOW, NOW + later));
  }));
});

Deno.test("headTime() refuses a clock that jumped, HEAD-05", () => {
  assertThrows(() => headTime(NOW, NOW - LIMITS.maxClockLeadMillis - 1), "clock");
  assertThrows(() => headTime(NOW, NOW + LIMITS.maxHeadGapMillis + 1), "clock");
  assertEquals(headTime(null, 5), 5);
});

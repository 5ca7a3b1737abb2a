import fc from "fast-check";
import { headTime, type TimeBefore } from "../../../manager/push/head_time.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const NOW = 1_800_000_000_000;
const YEAR = 365 * 86_400_000;
const inReach = fc.integer({ min: -LIMITS.maxClockLeadMillis, max: LIMITS.maxHeadGapMillis });

/** After a head under the statement in force, which is a year older. */
const afterHead: TimeBefore = { head: { time: NOW, statement: 3 }, statement: { time: NOW - YEAR, number: 3 } };
/** After a head whose clock was a year ahead, and a statement that the owner issued since. */
const afterStatement: TimeBefore = { head: { time: NOW + YEAR, statement: 3 }, statement: { time: NOW, number: 4 } };
const first: TimeBefore = { head: null, statement: { time: NOW, number: 1 } };

for (
  const [what, before] of [["a head", afterHead], ["a new statement", afterStatement], ["nothing", first]] as const
) {
  Deno.test(`headTime() is never before what was signed last when there was ${what}, HEAD-05`, () => {
    fc.assert(fc.property(inReach, (later) => assertEquals(headTime(before, NOW + later), Math.max(NOW, NOW + later))));
  });

  Deno.test(`headTime() refuses a clock that jumped when there was ${what}, HEAD-05`, () => {
    assertThrows(() => headTime(before, NOW - LIMITS.maxClockLeadMillis - 1), "clock");
    assertThrows(() => headTime(before, NOW + LIMITS.maxHeadGapMillis + 1), "clock");
  });
}

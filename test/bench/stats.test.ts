import fc from "fast-check";
import { median, quantile, ratios, spread } from "../../bench/harness/stats.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("median() is the middle value, or the mean of the two in the middle, when values come in any order", () => {
  assertEquals(median([3]), 3);
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assert(Number.isNaN(median([])));
});

Deno.test("quantile() is the nearest rank when asked for shares at and between values", () => {
  const values = [10, 20, 30, 40];
  assertEquals([0.01, 0.25, 0.26, 0.5, 0.99, 1].map((share) => quantile(values, share)), [10, 10, 20, 20, 40, 40]);
  assert(Number.isNaN(quantile([], 0.5)));
});

Deno.test("quantile() has at least that share of values at or below it, and fewer below, whatever the values", () => {
  const values = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (list, share) => {
    const sorted = Float64Array.from(list).sort();
    const found = quantile(sorted, share);
    assert(sorted.filter((value) => value <= found).length >= share * sorted.length);
    assert(sorted.filter((value) => value < found).length < share * sorted.length);
  }));
});

Deno.test("ratios() pairs rounds when both sides have them, and spread() is relative to the median", () => {
  assertEquals(ratios([10, 30], [5, 10]), [2, 3]);
  assertEquals(ratios([10, 30], [5]), [2]);
  assertEquals(spread([80, 100, 130]), 0.5);
});

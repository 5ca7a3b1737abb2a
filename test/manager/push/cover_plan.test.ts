import fc from "fast-check";
import { fullStockOf, paddedCount, planCover, stepOf, stockOf } from "../../../manager/push/plan/cover_plan.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("PUSH-16 stepOf() is the least, then powers of two, then quarters of one", () => {
  assertEquals([0, 1, 8, 9, 16, 17, 33, 64].map((rows) => stepOf(rows, 8)), [8, 8, 8, 16, 16, 32, 64, 64]);
  assertEquals([65, 80, 81, 128, 129, 1_000, 20_000].map((rows) => stepOf(rows, 8)), [
    ...[80, 80, 96, 128, 160, 1_024, 20_480],
  ]);
  fc.assert(fc.property(fc.integer({ min: 65, max: 10_000_000 }), fc.integer({ min: 1, max: 64 }), (rows, least) => {
    const step = stepOf(rows, least);
    assert(step >= rows && step <= rows * 1.25, `${rows} to ${step}`);
    assertEquals(stepOf(step, least), step);
  }));
});

Deno.test("PUSH-17 the stock of cover rows is a quarter of the others within its bounds, whatever happens over many deltas", () => {
  assertEquals([0, 1_024, 4_000, 1_000_000].map((rows) => stockOf(rows, 8)), [256, 256, 1_000, 4_096]);
  const counts = fc.record({
    fresh: fc.integer({ min: 0, max: 8 }),
    replaced: fc.integer({ min: 0, max: 8 }),
    gone: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(fc.property(fc.array(counts, { maxLength: 500 }), (deltas) => {
    const target = stockOf(2_000, 8);
    let stock = target;
    for (const changes of deltas) {
      const added = planCover({ changes, stock, target, least: 8, replaces: true });
      assert(added.gone + added.replaced <= stock);
      assertEquals(changes.replaced + added.replaced, 8);
      stock += added.fresh - added.gone;
      assert(stock >= target / 2 - 8 && stock <= 2 * target + 8, `${stock} of ${target}`);
      assert([8, 16].includes(changes.fresh + added.fresh) && [8, 16].includes(changes.gone + added.gone));
    }
  }));
});

Deno.test("PUSH-19 fullStockOf() is the stock and at most half of it more, and makes the sum a round one", () => {
  assertEquals([91, 100, 132].map((rows) => rows + fullStockOf(rows, 8)), [384, 384, 512]);
  fc.assert(fc.property(fc.integer({ min: 0, max: 10_000_000 }), fc.integer({ min: 1, max: 64 }), (rows, least) => {
    const [stock, full] = [stockOf(rows, least), fullStockOf(rows, least)];
    assert(full >= stock && full < 1.5 * stock, `${full} of ${stock}`);
  }));
});

Deno.test("PUSH-19 paddedCount() holds the rows, at most doubles them, and goes down later than up", () => {
  const trace = [1, 4, 5, 4, 3, 8, 9, 8, 5, 4, 0];
  let before = 0;
  assertEquals(trace.map((rows) => before = paddedCount(rows, before, 4)), [4, 4, 8, 8, 8, 8, 16, 16, 16, 4, 4]);
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 1_000_000 }), fc.integer({ min: 0, max: 1_000_000 }), (rows, held) => {
      const fresh = paddedCount(rows, 0, 4);
      assert(fresh >= rows && fresh < 2 * rows, `${fresh} for ${rows}`);
      const kept = paddedCount(rows, held, 4);
      assert(
        kept === fresh || (kept === held && kept >= rows && kept <= 2 * fresh),
        `${kept} for ${rows} after ${held}`,
      );
    }),
  );
});

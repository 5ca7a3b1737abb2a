import fc from "fast-check";
import { RoundRobin } from "../../bench/contestants/round_robin.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("RoundRobin counts every session's requests from 1 without gaps, across several series", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.integer({ min: 0, max: 40 })), (sessions, series) => {
      const turns = new RoundRobin(Array.from({ length: sessions }, (_, i) => i), 10_000);
      const counters = new Map<number, number>();
      for (const count of series) {
        for (const { session, counter } of turns.next(count)) {
          assertEquals(counter, (counters.get(session) ?? 0) + 1);
          counters.set(session, counter);
        }
      }
    }),
  );
});

Deno.test("RoundRobin asks for every row once before it asks for one again", () => {
  const turns = new RoundRobin(["only"], 10_000);
  assertEquals(new Set(turns.next(10_000).map(({ row }) => row)).size, 10_000);
});

Deno.test("RoundRobin.of() names the request of that number in the last series", () => {
  const turns = new RoundRobin(["a", "b"], 10);
  turns.next(3);
  const [first, second] = turns.next(2);
  assert(first !== undefined && second !== undefined);
  assertEquals([turns.of(0), turns.of(1)], [first, second]);
  assertEquals(first.session, "b");
});

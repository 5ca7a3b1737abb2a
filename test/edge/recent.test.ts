import fc from "fast-check";
import { Recent } from "../../edge/recent.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("Recent get() finds the half of the entries that was used last, whatever the order of use", () => {
  const key = fc.integer({ min: 0, max: 30 }).map(String);
  const use = fc.record({ key, set: fc.boolean() });
  fc.assert(fc.property(fc.integer({ min: 2, max: 12 }), fc.array(use, { maxLength: 200 }), (entries, uses) => {
    const lost: number[] = [];
    const recent = new Recent<number>(entries, (values) => lost.push(...values));
    const latest = new Map<string, number>();
    let order: string[] = [];
    for (const [step, { key, set }] of uses.entries()) {
      if (set) {
        recent.set(key, step);
        latest.set(key, step);
      } else {
        const found = recent.get(key);
        if (found === undefined) {
          assert(!order.slice(0, Math.floor(entries / 2)).includes(key), `${key} was used lately and is not there`);
          continue;
        }
        assertEquals(found, latest.get(key));
      }
      order = [key, ...order.filter((other) => other !== key)];
    }
    const held = [...latest.keys()].filter((key) => recent.get(key) !== undefined);
    assert(held.length <= entries, `${held.length} of ${entries}`);
    // Nothing is lost without being told, and nothing that moved on is told as lost.
    for (const key of latest.keys()) {
      if (!held.includes(key)) assert(lost.includes(latest.get(key) ?? -1));
    }
  }));
});

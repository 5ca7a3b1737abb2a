import fc from "fast-check";
import { RecentlyUsed } from "../../../shared/database/cache.ts";
import { groupSize, Lane } from "../../../shared/database/lane.ts";
import { Turn } from "../../../shared/database/turn.ts";
import { assert, assertEquals } from "../../assert.ts";

const member = fc.record({
  statements: fc.integer({ min: 1, max: 8 }).map((length) => Array.from({ length }, () => 0)),
  alone: fc.boolean(),
  bytes: fc.nat(60),
});

Deno.test("groupSize() takes at least one, never exceeds a bound with more than one, and could take no more", () => {
  fc.assert(fc.property(fc.array(member, { minLength: 1, maxLength: 30 }), (queue) => {
    const bounds = { maxStatements: 16, maxBytes: 100 };
    const size = groupSize(queue, bounds);
    const fits = (count: number) => {
      const group = queue.slice(0, count);
      return count <= queue.length && (count === 1 || (!group.some(({ alone }) => alone) &&
        group.reduce((sum, { statements }) => sum + statements.length, 0) <= bounds.maxStatements &&
        group.reduce((sum, { bytes }) => sum + bytes, 0) <= bounds.maxBytes));
    };
    assert(size >= 1 && fits(size) && !fits(size + 1));
  }));
});

Deno.test("Lane runs one group at a time, every member once and in order, whenever they are added", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 30 }), async (calls) => {
    const done: number[] = [];
    let running = 0;
    const lane = new Lane<number>({
      maxStatements: 4,
      maxBytes: Infinity,
      soon: queueMicrotask,
      async settle(group) {
        assertEquals(++running, 1);
        for (let i = 0; i < group.length % 3; i++) await Promise.resolve();
        for (const { statements: [id = -1], resolve } of group) {
          done.push(id);
          resolve([]);
        }
        running--;
      },
    });
    const promises: Promise<unknown>[] = [];
    for (const [id, [turns]] of calls.entries()) {
      for (let i = 0; i < turns; i++) await Promise.resolve();
      promises.push(lane.add({ statements: [id], alone: id % 7 === 0, idempotent: false, bytes: 0 }));
    }
    await lane.idle();
    assertEquals(done, calls.map((_, id) => id));
    await Promise.all(promises);
  }));
});

Deno.test("RecentlyUsed forgets what was used longest ago, and makes nothing twice that it holds", () => {
  let made = 0;
  const cache = new RecentlyUsed(2, (key) => `${key}${++made}`);
  assertEquals([cache.get("a"), cache.get("b"), cache.get("a"), cache.get("c")], ["a1", "b2", "a1", "c3"]);
  assertEquals([cache.get("a"), cache.get("b")], ["a1", "b4"]);
  cache.clear();
  assertEquals(cache.get("a"), "a5");
});

Deno.test("Turn lets one act at a time, and goes on when a holder never gives it back", async () => {
  const turn = new Turn();
  let acting = 0;
  const act = async () => {
    const holder = await turn.take(1_000);
    assertEquals(++acting, 1);
    await new Promise((resume) => setTimeout(resume, 1));
    acting--;
    turn.release(holder);
  };
  await Promise.all(Array.from({ length: 8 }, act));
  const lost = await turn.take(1_000);
  const next = await turn.take(20);
  turn.release(lost);
  let free = false;
  const waiting = turn.take(1_000).then(() => free = true);
  await new Promise((resume) => setTimeout(resume, 10));
  assertEquals(free, false);
  turn.release(next);
  await waiting;
});

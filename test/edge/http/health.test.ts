import { Health } from "../../../edge/http/health.ts";
import { assertEquals } from "../../assert.ts";

/** A database that answers when it is told to; `asked` counts the questions. */
function slowStore() {
  const waiting: PromiseWithResolvers<null>[] = [];
  const reported: unknown[] = [];
  const publicStatement = () => {
    const question = Promise.withResolvers<null>();
    waiting.push(question);
    return question.promise;
  };
  const health = new Health({ publicStatement }, (error) => void reported.push(error));
  return { health, reported, waiting };
}

Deno.test("Health isWell() asks once a second when the database answers, and when it fails", async () => {
  for (const works of [true, false]) {
    const { health, reported, waiting } = slowStore();
    const error = new Error("away");
    for (const [index, from] of [0, 1_000, 2_500].entries()) {
      const first = health.isWell(from);
      if (works) waiting[index]?.resolve(null);
      else waiting[index]?.reject(error);
      assertEquals(await first, works);
      for (let i = 0; i < 50; i++) assertEquals(await health.isWell(from + i * 19), works);
      assertEquals([waiting.length, reported.length], [index + 1, works ? 0 : index + 1]);
    }
  }
});

Deno.test("Health isWell() asks once a second while the database keeps it waiting, and tells others what it knew", async () => {
  const { health, reported, waiting } = slowStore();
  const first = health.isWell(0);
  for (let now = 0; now < 1_000; now += 50) assertEquals(await health.isWell(now), true);
  assertEquals(waiting.length, 1);
  const second = health.isWell(1_000);
  assertEquals(waiting.length, 2);
  waiting[0]?.reject(new Error("timeout"));
  assertEquals(await first, false);
  assertEquals([await health.isWell(1_500), waiting.length, reported.length], [false, 2, 1]);
  waiting[1]?.resolve(null);
  assertEquals([await second, await health.isWell(1_500)], [true, true]);
});

Deno.test("Health isWell() asks again when the clock was set back", async () => {
  const { health, waiting } = slowStore();
  const before = health.isWell(100_000);
  const after = health.isWell(5_000);
  assertEquals(waiting.length, 2);
  for (const { resolve } of waiting) resolve(null);
  assertEquals([await before, await after], [true, true]);
});

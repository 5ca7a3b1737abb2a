import fc from "fast-check";
import { NumberWindow } from "../../../edge/session/window.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals } from "../../assert.ts";

const W = LIMITS.requestWindow;

/** Remembers every number. */
class Model {
  readonly #seen = new Set<number>();
  #highest = 0;
  take(number: number): boolean {
    if (this.#seen.has(number) || number <= this.#highest - W) return false;
    this.#seen.add(number);
    this.#highest = Math.max(this.#highest, number);
    return true;
  }
}

function compare(numbers: readonly number[]): void {
  const [window, model] = [new NumberWindow(), new Model()];
  for (const number of numbers) {
    assertEquals(window.take(number), model.take(number), `${number} in ${numbers.join()}`);
  }
}

Deno.test("NumberWindow take() takes each number once when they come in order (SESS-10, SESS-11)", () => {
  const window = new NumberWindow();
  for (let n = 1; n <= 3 * W; n++) assertEquals(window.take(n), true);
  for (let n = 3 * W; n > 0; n--) assertEquals(window.take(n), false);
});

Deno.test("NumberWindow take() refuses what lies a whole window behind and takes what lies just inside (SESS-11)", () => {
  for (const jump of [1, 31, 32, 33, W - 1, W, W + 1, W + 32, 10 * W + 7, 2 ** 40 + 5, 999_999_999_999_999]) {
    compare([1, jump, jump - W, jump - W + 1, jump - W + 2, jump - 1, jump, jump - W + 1].filter((n) => n > 0));
  }
});

Deno.test("NumberWindow take() agrees with a model that remembers everything (SESS-11)", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -40, max: 40 }) },
    { weight: 3, arbitrary: fc.integer({ min: -W - 70, max: W + 70 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 48 }) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 45 }), fc.array(step, { maxLength: 300 }), (start, steps) => {
      let highest = start;
      const numbers = steps.map((offset) => {
        const number = Math.max(1, highest + offset);
        highest = Math.max(highest, number);
        return number;
      });
      compare([start, ...numbers]);
    }),
    { numRuns: 300 },
  );
});

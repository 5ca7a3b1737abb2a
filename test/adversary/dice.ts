/** Choices within one step, all from the step's own seed, so that a run is played again by its seed. */

/** A small generator (mulberry32): good enough to choose, and nothing else. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 up to, not including, `count`; 0 if there is nothing to choose from. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return count <= 0 ? 0 : ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  /** One of the things given; undefined when there are none. */
  of<T>(things: readonly T[]): T | undefined {
    return things[this.below(things.length)];
  }

  /** True once in so many times. */
  once(inTimes: number): boolean {
    return this.below(inTimes) === 0;
  }
}

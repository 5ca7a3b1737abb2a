/**
 * Which numbers of a session were used: a sliding window over the highest ones, a bit for each, as in RFC 6479. Its size is
 * fixed, whatever numbers a client chooses.
 */
import { LIMITS } from "../../shared/limits.ts";

const WORD_BITS = 32;
/** One word more than the window: the highest number stands anywhere in its word, and the rest of that word is not yet used. */
const WORDS = LIMITS.requestWindow / WORD_BITS + 1;

export class NumberWindow {
  readonly #words = new Uint32Array(WORDS);
  #highest = 0;

  /**
   * Takes a number, once (spec: SESS-10, SESS-11).
   *
   * @param number a safe integer from 1
   * @returns false when it was taken before, or lies so far behind the highest that nobody knows
   */
  take(number: number): boolean {
    const word = Math.floor(number / WORD_BITS);
    if (number > this.#highest) this.#advance(word, number);
    else if (this.#highest - number >= LIMITS.requestWindow) return false;
    const bit = 1 << (number % WORD_BITS);
    const at = word % WORDS;
    const bits = this.#words[at] ?? 0;
    this.#words[at] = bits | bit;
    return (bits & bit) === 0;
  }

  #advance(word: number, number: number): void {
    const from = Math.floor(this.#highest / WORD_BITS);
    const passed = Math.min(word - from, WORDS);
    for (let i = 1; i <= passed; i++) this.#words[(from + i) % WORDS] = 0;
    this.#highest = number;
  }
}

/** Finds any of very many byte sequences in one pass: a filter over each four bytes decides where it is worth comparing. */
import type { Needle } from "./spellings.ts";

/** Where a needle stands. */
export interface Match {
  readonly needle: Needle;
  readonly at: number;
}

const WINDOW = 4;
const FILTER_BITS = 22;
const FILTER_MASK: number = 2 ** FILTER_BITS - 1;

export class Matcher {
  readonly #byWindow = new Map<number, Needle[]>();
  readonly #filter = new Uint8Array(2 ** FILTER_BITS);

  /** @param needles of four bytes or more each */
  constructor(needles: Iterable<Needle>) {
    for (const needle of needles) {
      if (needle.bytes.length < WINDOW) {
        throw new RangeError(`Too short to look for: ${needle.mark}, ${needle.spelling}`);
      }
      const window = windowAt(needle.bytes, 0);
      const others = this.#byWindow.get(window);
      if (others === undefined) this.#byWindow.set(window, [needle]);
      else others.push(needle);
      this.#filter[slot(window)] = 1;
    }
  }

  /** All matches, in the order of their places. */
  find(bytes: Uint8Array): Match[] {
    const matches: Match[] = [];
    const filter = this.#filter;
    let window = 0;
    for (let end = 0; end < bytes.length; end++) {
      window = window << 8 | (bytes[end] ?? 0);
      if (filter[slot(window)] === 0 || end < WINDOW - 1) continue;
      const at = end - WINDOW + 1;
      for (const needle of this.#byWindow.get(window) ?? []) {
        if (standsAt(bytes, at, needle.bytes)) matches.push({ needle, at });
      }
    }
    return matches;
  }
}

function windowAt(bytes: Uint8Array, at: number): number {
  let window = 0;
  for (let i = at; i < at + WINDOW; i++) window = window << 8 | (bytes[i] ?? 0);
  return window;
}

function slot(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> (32 - FILTER_BITS) & FILTER_MASK;
}

function standsAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  if (at + needle.length > bytes.length) return false;
  for (let i = WINDOW; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

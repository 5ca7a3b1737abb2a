/**
 * Whether the edge works: one cheap question to the database, at most once a second, whoever asks how often and however long it takes.
 * Whoever comes in between is told what was found last. Nobody waits for a question that another request asked: on Workers
 * it may never be answered.
 */
import type { EdgeStore } from "../store/store.ts";

const REMEMBERED_MILLIS = 1_000;
/** An owner that nobody has: no SHA-256 of a certificate that anybody could find is all zeros. */
const NOBODY = new Uint8Array(32);

export class Health {
  readonly #store: Pick<EdgeStore, "publicStatement">;
  readonly #report: (error: unknown) => void;
  /** The database was there when the store was opened. */
  #isWell = true;
  #askedAt = -Infinity;

  /** @param report is told why the database did not answer, once for each question */
  constructor(store: Pick<EdgeStore, "publicStatement">, report: (error: unknown) => void) {
    this.#store = store;
    this.#report = report;
  }

  /** @param now Millis */
  async isWell(now: number): Promise<boolean> {
    if (now >= this.#askedAt && now < this.#askedAt + REMEMBERED_MILLIS) return this.#isWell;
    this.#askedAt = now;
    return this.#isWell = await this.#ask();
  }

  async #ask(): Promise<boolean> {
    try {
      await this.#store.publicStatement(NOBODY);
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }
}

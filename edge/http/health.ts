/** Whether the edge works: one cheap question to the database, at most once a second, whoever asks how often. */
import type { EdgeStore } from "../store/store.ts";

const REMEMBERED_MILLIS = 1_000;
/** An owner that nobody has: no SHA-256 of a certificate that anybody could find is all zeros. */
const NOBODY = new Uint8Array(32);

export class Health {
  readonly #store: EdgeStore;
  #isWell = false;
  #at = -Infinity;

  constructor(store: EdgeStore) {
    this.#store = store;
  }

  /** @returns the error when the database does not answer, else null */
  async check(now: number): Promise<{ error: unknown } | null> {
    if (this.#isWell && now >= this.#at && now < this.#at + REMEMBERED_MILLIS) return null;
    try {
      await this.#store.publicStatement(NOBODY);
      this.#isWell = true;
    } catch (error) {
      this.#isWell = false;
      return { error };
    } finally {
      this.#at = now;
    }
    return null;
  }
}

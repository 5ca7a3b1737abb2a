/**
 * One at a time, among callers that must not wait for one another's promises.
 *
 * On Cloudflare Workers a request that awaits what another one resolves never goes on. So each looks for itself whether it is its turn; what they
 * share is a number.
 */
const LOOK_EVERY_MILLIS = 2;

/** A right to act that one caller holds at a time; in no order. */
export class Turn {
  #holder = 0;
  #last = 0;

  /**
   * Waits for the right and takes it; the number returned gives it back. Whoever held it for `leaseMillis` without giving it back has ended
   * before it could, as a request does whose client went away: then it is taken over.
   */
  async take(leaseMillis: number): Promise<number> {
    for (let seen = 0, waited = 0; this.#holder !== 0 && waited < leaseMillis; waited += LOOK_EVERY_MILLIS) {
      if (seen !== this.#holder) [seen, waited] = [this.#holder, 0];
      await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MILLIS));
    }
    return this.#holder = ++this.#last;
  }

  /** Gives the right back, unless it was taken over. */
  release(holder: number): void {
    if (this.#holder === holder) this.#holder = 0;
  }
}

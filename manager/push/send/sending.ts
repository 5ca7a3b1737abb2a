/** Requests on their way to the edge, a few at once: they hide the way there and back. */

/** After a failure nothing more is started. */
export class Sending {
  readonly #atOnce: number;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Starts one as soon as there is room. @throws what one before has failed with */
  async start(send: () => Promise<void>): Promise<void> {
    while (this.#underWay.size >= this.#atOnce) await Promise.race(this.#underWay);
    this.throwFailure();
    const sent = send().catch((error) => {
      this.#failure ??= { error };
    }).finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Unattended updates as a part of `postern run`: begun when a product asks for it, ended with the service, or ending it. */
import { followed } from "./repository.ts";
import { runUpdates, type UnattendedEnvironment } from "./unattended.ts";

export class UpdateService implements AsyncDisposable {
  readonly #env: Omit<UnattendedEnvironment, "stop">;
  readonly #ending = new AbortController();
  #running: Promise<void> | null = null;
  #outcome: { readonly restarts: boolean } | { readonly error: unknown } = { restarts: false };
  /** For the whole service: what stops it, or a version that has to be started. */
  readonly stop: AbortSignal;

  constructor(env: Omit<UnattendedEnvironment, "stop">, stop: AbortSignal) {
    this.#env = env;
    this.stop = AbortSignal.any([stop, this.#ending.signal]);
  }

  /** Begins, unless it has begun, or no product is updated unattended or has a switch that may have been cut off. */
  async startIfWanted(): Promise<void> {
    if (this.#running !== null) return;
    if (await this.#isWanted()) this.#running = this.#run();
  }

  /** What is wrong with a configuration is for a turn of updates to say, and not the end of the service. */
  async #isWanted(): Promise<boolean> {
    try {
      const all = await followed(this.#env.db);
      return all.some(({ config }) => config.auto !== "off" || config.install !== null);
    } catch {
      return true;
    }
  }

  /** Waits for its end. @returns whether the service is to be started anew; @throws what ended it */
  async ended(): Promise<boolean> {
    await this.#running;
    if ("error" in this.#outcome) throw this.#outcome.error;
    return this.#outcome.restarts;
  }

  /** Ends it, however the service ended: nothing of it outlives the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      if (await runUpdates({ ...this.#env, stop: this.stop }) === "stopped") return;
      this.#outcome = { restarts: true };
    } catch (error) {
      this.#outcome = { error };
    }
    this.#ending.abort();
  }
}

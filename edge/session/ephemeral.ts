/** The edge's ephemeral X25519 key, which the logins of a minute share (spec: SESS-07). */
import type { ExchangeKey, NativeKeys } from "../../shared/crypto/native_keys.ts";
import { LIMITS } from "../../shared/limits.ts";

export class EphemeralKey {
  readonly #keys: NativeKeys;
  #pair: ExchangeKey | null = null;
  #until = 0;

  constructor(keys: NativeKeys) {
    this.#keys = keys;
  }

  /**
   * The key of this minute. Callers that find none each make their own, of which the last is kept: on Cloudflare Workers a
   * request must not wait for what another one started.
   */
  async current(now: number): Promise<ExchangeKey> {
    this.forget(now);
    if (this.#pair !== null) return this.#pair;
    const pair = await this.#keys.newExchangeKey();
    this.#pair = pair;
    this.#until = now + LIMITS.edgeEphemeralMillis;
    return pair;
  }

  /** Lets go of a key whose time is over, or of which a clock that was set back no longer tells. */
  forget(now: number): void {
    if (now >= this.#until || now < this.#until - LIMITS.edgeEphemeralMillis) this.#pair = null;
  }
}

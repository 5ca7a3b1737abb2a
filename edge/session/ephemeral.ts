/** The edge's ephemeral X25519 key, which the logins of a minute share (spec: SESS-07). */
import { generateX25519, type X25519KeyPair } from "../../shared/crypto/x25519.ts";
import { LIMITS } from "../../shared/limits.ts";

export class EphemeralKey {
  #pair: X25519KeyPair | null = null;
  #until = 0;

  /**
   * The key of this minute. Callers that find none each make their own, of which the last is kept: on Cloudflare Workers a
   * request must not wait for what another one started.
   */
  async current(now: number): Promise<X25519KeyPair> {
    this.forget(now);
    if (this.#pair !== null) return this.#pair;
    const pair = await generateX25519();
    this.#pair = pair;
    this.#until = now + LIMITS.edgeEphemeralMillis;
    return pair;
  }

  /** Lets go of a key whose time is over, or of which a clock that was set back no longer tells. */
  forget(now: number): void {
    if (now >= this.#until || now < this.#until - LIMITS.edgeEphemeralMillis) this.#pair = null;
  }
}

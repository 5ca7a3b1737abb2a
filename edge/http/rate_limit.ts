/** Rate limits: token buckets in the memory of this isolate, a bounded number of them. */
import { LIMITS } from "../../shared/limits.ts";
import { Recent } from "../recent.ts";
import { networkOf } from "./address.ts";

const MINUTE_MILLIS = 60_000;

interface Bucket {
  tokens: number;
  /** When `tokens` was right, Millis. */
  at: number;
}

/** Lets every name do `perMinute` things a minute, and as many in one burst. */
export class RateLimit {
  readonly #perMinute: number | null;
  readonly #buckets: Recent<Bucket>;

  /** @param perMinute null for no limit */
  constructor(perMinute: number | null, entries: number = LIMITS.rateBuckets) {
    this.#perMinute = perMinute;
    this.#buckets = new Recent(entries);
  }

  /** Takes one; the seconds to wait when there is none left, else 0. */
  take(name: string, now: number): number {
    if (this.#perMinute === null) return 0;
    const bucket = this.#buckets.get(name) ?? this.#open(name, this.#perMinute, now);
    // A clock that was set back fills nothing, and empties nothing.
    const passed = Math.max(0, now - bucket.at);
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + passed * this.#perMinute / MINUTE_MILLIS);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * MINUTE_MILLIS / this.#perMinute / 1_000);
    bucket.tokens -= 1;
    return 0;
  }

  #open(name: string, tokens: number, at: number): Bucket {
    const bucket = { tokens, at };
    this.#buckets.set(name, bucket);
    return bucket;
  }
}

/** The limits on what is answered without a session. */
export class RateLimits {
  readonly #addresses: RateLimit;
  readonly #owners: RateLimit;

  constructor(addressPerMinute: number | null, ownerPerMinute: number | null) {
    this.#addresses = new RateLimit(addressPerMinute);
    this.#owners = new RateLimit(ownerPerMinute);
  }

  /**
   * Counts a request; the seconds to wait if there were too many, else 0. Owners that the edge does not know are counted too, so that
   * the answer is the same.
   *
   * An owner is counted only where clients cannot be told apart, and only logins, which alone are dear: whoever knows an owner id could
   * otherwise use up the limit from a few addresses, and keep the owner's devices out.
   *
   * @param address null if the host does not know it
   */
  take(address: string | null, owner: string, isLogin: boolean, now: number): number {
    if (address !== null) return this.#addresses.take(networkOf(address), now);
    return isLogin ? this.#owners.take(owner, now) : 0;
  }
}

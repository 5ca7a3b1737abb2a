/** Arrays for large bodies of requests, used again: a long push would otherwise leave a MiB behind with every chunk. */
import type { Bytes } from "../../bytes/bytes.ts";
import type { Allocate } from "../../bytes/cbor.ts";
import { LIMITS } from "../../limits.ts";

/** Smaller ones are not worth it. */
const LARGE_BYTES = 65_536;

/** Arrays that are not in use: as many as there were requests at once. */
export class BodyBuffers {
  readonly #free: Bytes[] = [];

  /**
   * Runs with room for one large body, which is used again as soon as the run has ended: `fetch` copies what it is given before it
   * returns (Fetch standard, "extract a body").
   */
  async with<T>(run: (allocate: Allocate) => Promise<T>): Promise<T> {
    let taken: Bytes | undefined;
    try {
      return await run((length) => {
        if (length < LARGE_BYTES || length > LIMITS.maxBodyBytes || taken !== undefined) return new Uint8Array(length);
        taken = this.#free.pop() ?? new Uint8Array(LIMITS.maxBodyBytes);
        return taken.subarray(0, length);
      });
    } finally {
      if (taken !== undefined) this.#free.push(taken);
    }
  }
}

/** Heads that a device has verified since it was started: what a code of an earlier generation is compared with (spec: HEAD-09). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { LIMITS } from "../../limits.ts";
import type { SignedHead } from "../../protocol/head.ts";

export class VerifiedHeads {
  /** Hashes by generation, oldest first, all of one incarnation. */
  readonly #hashes = new Map<number, Bytes>();
  #incarnation: Bytes | null = null;
  #last: number | null = null;

  /** @param now the device's clock, Millis */
  add({ head, hash }: Pick<SignedHead, "head" | "hash">, now: number): void {
    const { generation, incarnation } = head;
    if (this.#incarnation === null || !equalBytes(this.#incarnation, incarnation)) this.#hashes.clear();
    this.#incarnation = incarnation;
    this.#last = now;
    this.#hashes.delete(generation);
    this.#hashes.set(generation, hash);
    const [oldest] = this.#hashes.keys();
    if (this.#hashes.size > LIMITS.maxVerifiedHeads && oldest !== undefined) this.#hashes.delete(oldest);
  }

  /** The head of a generation; undefined if it was not shown, is long past, or of another incarnation. */
  hashOf(generation: number, incarnation: Bytes): Bytes | undefined {
    const isOfIt = this.#incarnation !== null && equalBytes(this.#incarnation, incarnation);
    return isOfIt ? this.#hashes.get(generation) : undefined;
  }

  /** When a head was verified last, Millis by the device's clock; null before the first. */
  get last(): number | null {
    return this.#last;
  }
}

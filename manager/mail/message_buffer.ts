import type { Bytes } from "../../shared/bytes/bytes.ts";

const FIRST_BYTES = 16_384;

/**
 * Gathers the bytes of one message after the other. What goes beyond the limit is counted and thrown away, so that memory stays
 * bounded however long a message is.
 */
export class MessageBuffer {
  readonly #maxBytes: number;
  #bytes: Bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes given since the last {@link take}, those thrown away included. */
  get length(): number {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const at = this.#length;
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) return;
    this.#grow();
    this.#bytes.set(piece, at);
  }

  /** The same byte many times over. */
  appendRepeated(byte: number, count: number): void {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#maxBytes) return;
    this.#grow();
    this.#bytes.fill(byte, at, this.#length);
  }

  /** The message, or null if it went beyond the limit; then begins the next. */
  take(): Bytes | null {
    const length = this.#length;
    this.#length = 0;
    return length > this.#maxBytes ? null : this.#bytes.slice(0, length);
  }

  #grow(): void {
    if (this.#length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(this.#length, 2 * this.#bytes.length)));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

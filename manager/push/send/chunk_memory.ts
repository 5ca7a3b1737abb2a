/** Memory for the rows of one chunk, used again for another: a thousand arrays a chunk cost more than what is written to them. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";

/** Hands out pieces of one array, until it is used up. */
export class ChunkMemory {
  readonly #bytes: Bytes = new Uint8Array(LIMITS.maxBodyBytes);
  #used = 0;

  /** Room for that many bytes, until {@link clear}. */
  readonly allocate = (length: number): Bytes => {
    if (this.#used + length > this.#bytes.length) return new Uint8Array(length);
    const start = this.#used;
    this.#used += length;
    return this.#bytes.subarray(start, this.#used);
  };

  /** Everything that was handed out may be overwritten from now on. */
  clear(): void {
    this.#used = 0;
  }
}

/** Chunk memories that are not in use. */
export class ChunkMemories {
  readonly #free: ChunkMemory[] = [];

  take(): ChunkMemory {
    return this.#free.pop() ?? new ChunkMemory();
  }

  giveBack(memory: ChunkMemory): void {
    memory.clear();
    this.#free.push(memory);
  }
}

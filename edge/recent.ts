/**
 * A bounded memory of what was used lately, in two generations: what is found in the older one moves to the newer, and when that is
 * full, the older is forgotten as a whole. Looking up costs one search of a map, where moving an entry to the end each
 * time would cost three.
 */
export class Recent<V> {
  readonly #capacity: number;
  readonly #forgotten: (values: Iterable<V>) => void;
  #newer = new Map<string, V>();
  #older = new Map<string, V>();

  /**
   * @param entries how many it holds at the most; at least half of it, used last, are there
   * @param forgotten is told what is lost, except for what moved on
   */
  constructor(entries: number, forgotten: (values: Iterable<V>) => void = () => {}) {
    this.#capacity = Math.max(1, Math.floor(entries / 2));
    this.#forgotten = forgotten;
  }

  get(key: string): V | undefined {
    const found = this.#newer.get(key);
    if (found !== undefined) return found;
    const older = this.#older.get(key);
    if (older === undefined) return undefined;
    this.#older.delete(key);
    this.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    if (this.#newer.size >= this.#capacity && !this.#newer.has(key)) {
      const lost = this.#older;
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#forgotten(lost.values());
    }
    this.#older.delete(key);
    this.#newer.set(key, value);
  }

  /** All that it holds, in no order; looking at them is no use of them. */
  *values(): Generator<V, void> {
    yield* this.#newer.values();
    yield* this.#older.values();
  }
}

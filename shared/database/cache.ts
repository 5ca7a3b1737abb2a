/** A bounded map that forgets what was used longest ago. */
export class RecentlyUsed<V> {
  readonly #entries = new Map<string, V>();
  readonly #capacity: number;
  readonly #make: (key: string) => V;

  /** `make` produces the value of a key that is not held; what it throws reaches the caller, and nothing is kept. */
  constructor(capacity: number, make: (key: string) => V) {
    this.#capacity = capacity;
    this.#make = make;
  }

  get(key: string): V {
    let value = this.#entries.get(key);
    if (value === undefined) {
      value = this.#make(key);
      if (this.#entries.size >= this.#capacity) {
        for (const oldest of this.#entries.keys()) {
          this.#entries.delete(oldest);
          break;
        }
      }
    } else {
      this.#entries.delete(key);
    }
    this.#entries.set(key, value);
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}

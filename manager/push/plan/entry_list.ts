/** A list of entries as far as a push is planned with it: numbers only, so that a hundred thousand take little. */

/** An entry as far as the plan needs it. */
export interface PlannedEntry {
  readonly id: number;
  readonly tbl: number;
  /** Bytes of its plaintext. */
  readonly size: number;
}

const FIRST_CAPACITY = 1_024;
/** Id, table, size. */
const FIELDS = 3;

/** Entries in the order in which they were added. */
export class EntryList {
  #fields = new Float64Array(FIELDS * FIRST_CAPACITY);
  #length = 0;

  static of(entries: Iterable<PlannedEntry>): EntryList {
    const list = new EntryList();
    for (const { id, tbl, size } of entries) list.add(id, tbl, size);
    return list;
  }

  get length(): number {
    return this.#length;
  }

  add(id: number, tbl: number, size: number): void {
    const start = FIELDS * this.#length;
    if (start === this.#fields.length) {
      const grown = new Float64Array(2 * start);
      grown.set(this.#fields);
      this.#fields = grown;
    }
    this.#fields[start] = id;
    this.#fields[start + 1] = tbl;
    this.#fields[start + 2] = size;
    this.#length += 1;
  }

  /** The entry at a place from 0 to the length, which is excluded. */
  at(place: number): PlannedEntry {
    const [fields, start] = [this.#fields, FIELDS * place];
    return { id: fields[start] ?? 0, tbl: fields[start + 1] ?? 0, size: fields[start + 2] ?? 0 };
  }
}

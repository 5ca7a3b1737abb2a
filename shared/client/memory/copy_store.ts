/** Where a device's local copy lies; who runs the device provides one that lasts (a database, IndexedDB). */
import type { Bytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import type { TableName } from "../../protocol/tables.ts";

/** Of which state a copy is: the signed head, and the signed owner statement that it was judged under. */
export interface CopyState {
  readonly statement: Bytes;
  readonly head: Bytes;
  /** What this device noted of rows that it sealed itself; null for a copy that is as the edge has it (spec: COPY-04). */
  readonly note: Bytes | null;
}

/** A stored row by its table and its key of 40 bytes. */
export interface CopiedRow {
  readonly table: TableName;
  readonly key: Bytes;
  readonly bytes: Bytes;
}

/** What leads from one copy to the next. */
export interface CopyChange {
  readonly state: CopyState;
  /** True when nothing of the rows before stays. */
  readonly isWhole: boolean;
  readonly put: readonly CopiedRow[];
  readonly remove: readonly Omit<CopiedRow, "bytes">[];
}

/** Rows as the edge stores them: all of them sealed. What it gives back is checked again, but it must not forget. */
export interface CopyStore {
  /** Null when there is no copy. */
  state(): Promise<CopyState | null>;
  /** All rows, in any order. */
  rows(): AsyncIterable<CopiedRow>;
  /** Null when there is none. */
  row(table: TableName, key: Bytes): Promise<Bytes | null>;
  /** Makes the whole change or nothing of it, and resolves only once that survives a crash. */
  apply(change: CopyChange): Promise<void>;
  /** Forgets the copy. */
  clear(): Promise<void>;
}

/** A copy that ends with the process. */
export class CopyInProcess implements CopyStore {
  #state: CopyState | null = null;
  readonly #rows = new Map<string, CopiedRow>();

  state(): Promise<CopyState | null> {
    return Promise.resolve(this.#state);
  }

  async *rows(): AsyncGenerator<CopiedRow> {
    for (const row of this.#rows.values()) yield await Promise.resolve(row);
  }

  row(table: TableName, key: Bytes): Promise<Bytes | null> {
    return Promise.resolve(this.#rows.get(nameOf({ table, key }))?.bytes ?? null);
  }

  apply({ state, isWhole, put, remove }: CopyChange): Promise<void> {
    if (isWhole) this.#rows.clear();
    for (const row of remove) this.#rows.delete(nameOf(row));
    for (const row of put) this.#rows.set(nameOf(row), row);
    this.#state = state;
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#rows.clear();
    this.#state = null;
    return Promise.resolve();
  }
}

function nameOf({ table, key }: Omit<CopiedRow, "bytes">): string {
  return `${table}/${toHex(key)}`;
}

/** As much of IndexedDB as is used. It is handed in: not every runtime that the client runs on has it, or describes it. */
export interface IdbGlobals {
  readonly indexedDB: { open(name: string, version: number): IdbOpenRequest };
  readonly IDBKeyRange: { lowerBound(lower: unknown, open: boolean): unknown };
}

export interface IdbRequest<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

export interface IdbOpenRequest extends IdbRequest<IdbDatabase> {
  onupgradeneeded: (() => void) | null;
}

export interface IdbDatabase {
  onversionchange: (() => void) | null;
  createObjectStore(name: string): unknown;
  transaction(
    names: readonly string[],
    mode: "readonly" | "readwrite",
    options: { readonly durability: "strict" },
  ): IdbTransaction;
  close(): void;
}

export interface IdbTransaction {
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  abort(): void;
  objectStore(name: string): IdbStore;
}

export interface IdbStore {
  get(key: unknown): IdbRequest<unknown>;
  getAll(range: unknown, count: number): IdbRequest<unknown>;
  put(value: unknown, key: unknown): IdbRequest<unknown>;
  delete(key: unknown): IdbRequest<unknown>;
  clear(): IdbRequest<unknown>;
}

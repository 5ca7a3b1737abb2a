/** What a device must not lose, in a browser's IndexedDB: for pages and web workers. One database for each device. */
import type { Bytes } from "../bytes/bytes.ts";
import type { CopiedRow, CopyChange, CopyState, CopyStore } from "../client/memory/copy_store.ts";
import type { DeviceMemory } from "../client/memory/memory.ts";
import { PosternError } from "../errors.ts";
import { type TableName, TABLES } from "../protocol/tables.ts";
import type { IdbDatabase, IdbGlobals, IdbRequest, IdbStore } from "./idb_types.ts";

/** The places of one device. */
export interface DeviceIndexedDb {
  /** What it verified and what it handed in: its memory and its outbox. */
  readonly memory: DeviceMemory;
  readonly copy: CopyStore;
  /** Ends all access to the database, which another tab may want to delete. */
  close(): void;
}

const VERSION = 1;
const MEMORY = "memory";
/** One entry, `state`. */
const COPY = "copy";
const COPIED = "copied";
const STATE = "state";
const PAGE_ROWS = 500;

type Mode = "readonly" | "readwrite";

/**
 * Makes a database the place of one device, or finds it there. Ask the browser to keep it (`navigator.storage.persist()`), and let one
 * tab at a time use it (`navigator.locks`): a device is one program.
 *
 * @param globals the page's or the worker's own: `globalThis`
 * @throws `storage` when the browser refuses
 */
export async function openDeviceIndexedDb(globals: IdbGlobals, name: string): Promise<DeviceIndexedDb> {
  const opening = globals.indexedDB.open(name, VERSION);
  opening.onupgradeneeded = () => {
    for (const store of [MEMORY, COPY, COPIED]) opening.result.createObjectStore(store);
  };
  const database = await resultOf(opening);
  // Whoever opens a later version, or deletes it, waits for this.
  database.onversionchange = () => database.close();
  return {
    memory: new MemoryInIndexedDb(database),
    copy: new CopyInIndexedDb(database, globals.IDBKeyRange),
    close: () => database.close(),
  };
}

class MemoryInIndexedDb implements DeviceMemory {
  readonly #database: IdbDatabase;

  constructor(database: IdbDatabase) {
    this.#database = database;
  }

  async load(name: string): Promise<Bytes | null> {
    return await read<Bytes>(this.#database, MEMORY, (store) => store.get(name)) ?? null;
  }

  async save(name: string, bytes: Bytes): Promise<void> {
    await write(this.#database, [MEMORY], ([memory]) => memory?.put(bytes.slice(), name));
  }

  async remove(name: string): Promise<void> {
    await write(this.#database, [MEMORY], ([memory]) => memory?.delete(name));
  }
}

class CopyInIndexedDb implements CopyStore {
  readonly #database: IdbDatabase;
  readonly #ranges: IdbGlobals["IDBKeyRange"];

  constructor(database: IdbDatabase, ranges: IdbGlobals["IDBKeyRange"]) {
    this.#database = database;
    this.#ranges = ranges;
  }

  async state(): Promise<CopyState | null> {
    return await read<CopyState>(this.#database, COPY, (store) => store.get(STATE)) ?? null;
  }

  async *rows(): AsyncGenerator<CopiedRow> {
    let after: [number, Bytes] = [0, new Uint8Array(0)];
    while (true) {
      // A transaction ends when nothing is asked of it: each page is one of its own.
      const range = this.#ranges.lowerBound(after, true);
      const rows = await read<CopiedRow[]>(this.#database, COPIED, (store) => store.getAll(range, PAGE_ROWS)) ?? [];
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = keyOf(last);
    }
  }

  async row(table: TableName, key: Bytes): Promise<Bytes | null> {
    const row = await read<CopiedRow>(this.#database, COPIED, (store) => store.get(keyOf({ table, key })));
    return row?.bytes ?? null;
  }

  // spec: COPY-05
  async apply({ state: { statement, head, note }, isWhole, put, remove }: CopyChange): Promise<void> {
    await write(this.#database, [COPY, COPIED], ([copy, copied]) => {
      if (isWhole) copied?.clear();
      for (const row of remove) copied?.delete(keyOf(row));
      // Slices: a view would take all that it is a view of along.
      for (const { table, key, bytes } of put) {
        copied?.put({ table, key: key.slice(), bytes: bytes.slice() }, keyOf({ table, key }));
      }
      copy?.put({ statement: statement.slice(), head: head.slice(), note: note?.slice() ?? null }, STATE);
    });
  }

  async clear(): Promise<void> {
    await write(this.#database, [COPY, COPIED], ([copy, copied]) => {
      copied?.clear();
      copy?.clear();
    });
  }
}

function keyOf({ table, key }: Omit<CopiedRow, "bytes">): [number, Bytes] {
  return [TABLES[table], key.slice()];
}

async function read<T>(
  database: IdbDatabase,
  name: string,
  ask: (store: IdbStore) => IdbRequest<unknown>,
): Promise<T | undefined> {
  return await orStorage(async () => await resultOf(ask(storesOf(database, [name], "readonly").store(name))) as T);
}

/** One transaction, all of it on the disk when this resolves, or nothing of it. */
async function write(
  database: IdbDatabase,
  names: readonly string[],
  change: (stores: readonly IdbStore[]) => void,
): Promise<void> {
  await orStorage(async () => {
    const { transaction, store } = storesOf(database, names, "readwrite");
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    try {
      change(names.map(store));
    } catch (error) {
      // What was asked for before would else be done all the same.
      transaction.abort();
      await done.catch(() => {});
      throw error;
    }
    await done;
  });
}

function storesOf(database: IdbDatabase, names: readonly string[], mode: Mode) {
  // Browsers wait for the disk only where they are told to.
  const transaction = database.transaction(names, mode, { durability: "strict" });
  return { transaction, store: (name: string) => transaction.objectStore(name) };
}

function resultOf<T>(request: IdbRequest<T>): Promise<T> {
  return orStorage(() =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    })
  );
}

async function orStorage<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof PosternError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new PosternError("storage", `The browser's database does not do what it is asked: ${found}`, { cause });
  }
}

/** Where a device keeps what it must not forget; who runs it provides one that lasts (a folder, IndexedDB). */
import type { Bytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import { decodeState, type DeviceState, encodeState } from "./state.ts";

/** Pieces of bytes by name. Names match `[a-z0-9-]{1,80}`, so that they are file names and keys everywhere. */
export interface DeviceMemory {
  /** Null when there is nothing under this name. */
  load(name: string): Promise<Bytes | null>;
  /** Replaces the whole piece or nothing of it, and resolves only once that survives a crash. */
  save(name: string, bytes: Bytes): Promise<void>;
  /** No error if there is nothing. */
  remove(name: string): Promise<void>;
}

/** Under which name the state lies. */
export const STATE_NAME = "state";

/** A memory that ends with the process: for tests, and for devices that are paired anew each time. */
export class MemoryInProcess implements DeviceMemory {
  readonly #pieces = new Map<string, Bytes>();

  load(name: string): Promise<Bytes | null> {
    return Promise.resolve(this.#pieces.get(name)?.slice() ?? null);
  }

  save(name: string, bytes: Bytes): Promise<void> {
    this.#pieces.set(name, bytes.slice());
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.#pieces.delete(name);
    return Promise.resolve();
  }

  /** Names of all pieces, sorted. */
  names(): string[] {
    return [...this.#pieces.keys()].sort();
  }
}

/** Saves the state of a new device; a memory that has one already belongs to another. @throws `conflict` */
export async function createMemory(memory: DeviceMemory, state: DeviceState): Promise<void> {
  if (await memory.load(STATE_NAME) !== null) {
    throw new PosternError("conflict", "This memory belongs to a device already; give the new one a memory of its own");
  }
  await memory.save(STATE_NAME, encodeState(state));
}

/** The state in use: changed one change after the other, and saved before anything relies on it. */
export class StateKeeper {
  readonly #memory: DeviceMemory;
  #state: DeviceState | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  /** The present state. @throws `storage` when the memory is empty, which forgets what was seen and so is never taken for new */
  async read(): Promise<DeviceState> {
    if (this.#state !== null) return this.#state;
    const bytes = await this.#memory.load(STATE_NAME);
    if (bytes === null) {
      throw new PosternError("storage", "The device's memory is empty: pair it anew, or give it the memory it had");
    }
    return this.#state ??= decodeState(bytes);
  }

  /**
   * Judges and changes the state as one step: no other change comes in between, and what `change` returns is saved before this
   * resolves. A change that throws, or that cannot be saved, changes nothing.
   */
  update<T>(change: (state: DeviceState) => Promise<{ state: DeviceState; result: T }>): Promise<T> {
    const next = this.#last.then(async () => {
      const before = await this.read();
      const { state, result } = await change(before);
      if (state !== before) {
        await this.#memory.save(STATE_NAME, encodeState(state));
        this.#state = state;
      }
      return result;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}

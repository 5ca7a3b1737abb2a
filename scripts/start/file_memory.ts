/** A device's memory in files: each piece replaced whole, and on the disk before anything relies on it. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { DeviceMemory } from "../../shared/client/mod.ts";
import { isPosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { makePrivateFolder, removeDurably, writeFileDurably } from "../../manager/files/durable.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";

export class FileMemory implements DeviceMemory {
  readonly #folder: string;

  /** The folder is made with the first piece. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(name: string): Promise<Bytes | null> {
    try {
      return await readBounded(this.#path(name), LIMITS.maxMessageBytes);
    } catch (error) {
      if (isPosternError(error, "not_found")) return null;
      throw error;
    }
  }

  async save(name: string, bytes: Bytes): Promise<void> {
    await makePrivateFolder(this.#folder);
    await writeFileDurably(this.#path(name), bytes);
  }

  async remove(name: string): Promise<void> {
    try {
      await removeDurably(this.#path(name));
    } catch (error) {
      if (!isPosternError(error, "not_found")) throw error;
    }
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    try {
      await Deno.remove(this.#folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Names may hold anything; file names are their hexadecimal. */
  #path(name: string): string {
    return join(this.#folder, toHex(utf8(name)));
  }
}

/** New files that are of use only together, such as a key and its certificate. */
import { resolve } from "node:path";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { createExclusive } from "../../manager/files/durable.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/**
 * Files that are taken away again unless all of them could be made: half of a pair would be in the way when the same command is run
 * once more, with room on the disk.
 */
export class NewFiles implements AsyncDisposable {
  readonly #cwd: string;
  #made: string[] = [];

  constructor({ cwd }: Pick<ScriptSurroundings, "cwd">) {
    this.#cwd = cwd;
  }

  /** Makes one. @throws `conflict` if it exists; `storage`, `not_found` */
  async create(path: string, content: Bytes, mode: number): Promise<void> {
    const file = resolve(this.#cwd, path);
    await createExclusive(file, content, mode);
    this.#made.push(file);
  }

  /** All that was to be done is done. */
  keep(): void {
    this.#made = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What cannot be removed either is named by the next try; the error that led here is the one to report.
    for (const file of this.#made) await Deno.remove(file).catch(() => {});
  }
}

/** A disk in memory that can be filled to the last page, or the last name: what is written then meets ENOSPC (tmpfs(5)). Needs `mount`. */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What runs out: pages of content, or the names that the file system has room for. */
export type Scarce = "pages" | "names";

export const PAGE_BYTES = 4_096;

export class SmallDisk implements Disposable {
  /** An empty folder on it. */
  readonly folder: string;
  readonly #mount: string;
  readonly #filler: string;

  private constructor(mount: string) {
    [this.#mount, this.folder, this.#filler] = [mount, join(mount, "work"), join(mount, "filler")];
    Deno.mkdirSync(this.folder);
  }

  /** @param pages how large it is @param names how many files and folders it takes */
  static mount(pages: number, names: number): SmallDisk {
    const folder = Deno.makeTempDirSync({ prefix: "postern-disk-" });
    run("mount", "-t", "tmpfs", "-o", `size=${pages * PAGE_BYTES},nr_inodes=${names},mode=700`, "tmpfs", folder);
    return new SmallDisk(folder);
  }

  /** Leaves room for so much, and plenty of the other. */
  async leave(scarce: Scarce, count: number): Promise<void> {
    await this.empty();
    Deno.mkdirSync(this.#filler);
    const first = join(this.#filler, "0");
    Deno.writeFileSync(first, new Uint8Array(0));
    const { bfree, ffree } = statfsSync(this.#mount);
    if (scarce === "pages") Deno.writeFileSync(first, new Uint8Array(Math.max(0, bfree - count) * PAGE_BYTES));
    // A hard link takes as much as a file.
    else for (let at = ffree; at > count; at--) Deno.linkSync(first, join(this.#filler, `${at}`));
  }

  /** Gives all room back. */
  async empty(): Promise<void> {
    try {
      // A program that another thread is just starting may hold what is removed a little longer, but not what is cut off.
      Deno.truncateSync(join(this.#filler, "0"));
      Deno.removeSync(this.#filler, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const { bfree, blocks, ffree, files } = statfsSync(this.#mount);
    if (2 * bfree < blocks || 2 * ffree < files) await collectGarbage();
  }

  [Symbol.dispose](): void {
    // Lazily: what a failed test still holds open must not hide why it failed.
    run("umount", "--lazy", this.#mount);
    Deno.removeSync(this.#mount);
  }
}

/** A database that was closed holds its file, removed or not, as long as statements of it are not collected. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  // What native code then lets go of, it lets go of in a turn of its own.
  await new Promise((resume) => setTimeout(resume, 0));
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
}

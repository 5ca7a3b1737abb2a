/** A temporary folder with given files, for tests of code that walks a tree. */
import { dirname } from "node:path";

/** Writes the files (path to content) into a new folder, runs, and removes the folder. */
export async function withTempTree<T>(
  files: Readonly<Record<string, string>>,
  run: (root: string) => Promise<T> | T,
): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "postern-tree-" });
  try {
    for (const [path, content] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${root}/${path}`), { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, content);
    }
    return await run(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

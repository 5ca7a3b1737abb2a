/** Everything below a folder, taken into memory and laid back. */
import { join } from "node:path";

/** By path: a file's content and mode, or null for a folder. */
export type Tree = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mode: number } | null>;

export function readTree(root: string, under = ""): Tree {
  const tree = new Map<string, { bytes: Uint8Array; mode: number } | null>();
  for (const { name, isDirectory } of Deno.readDirSync(join(root, under))) {
    const path = `${under}${name}`;
    if (isDirectory) {
      tree.set(path, null);
      for (const [below, entry] of readTree(root, `${path}/`)) tree.set(below, entry);
    } else {
      const mode = (Deno.statSync(join(root, path)).mode ?? 0) & 0o777;
      tree.set(path, { bytes: Deno.readFileSync(join(root, path)), mode });
    }
  }
  return tree;
}

/** Lays a tree down in the place of whatever is there. */
export function writeTree(root: string, tree: Tree): void {
  for (const { name } of Deno.readDirSync(root)) Deno.removeSync(join(root, name), { recursive: true });
  for (const [path, entry] of tree) {
    if (entry === null) Deno.mkdirSync(join(root, path));
    else {
      Deno.writeFileSync(join(root, path), entry.bytes);
      Deno.chmodSync(join(root, path), entry.mode);
    }
  }
}

/** Finding files for the scripts, with paths as the rules and reports name them: relative, with forward slashes. */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds deno.json, whatever the working directory is. */
export const PROJECT_ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");

/** Where the project's own TypeScript lives. */
export const SOURCE_FOLDERS = ["shared", "edge", "manager", "scripts", "bench", "test"] as const;

/** Path of a file URL. */
export function fromFileUrl(url: string): string {
  return fileURLToPath(url);
}

/** `path` as seen from `root`, with forward slashes on every system. */
export function relativePath(root: string, path: string): string {
  return relative(root, path).replaceAll(sep, "/");
}

/** All files below the folders whose names match, sorted, relative to `root`. A folder that is not there holds none. */
export function listFiles(root: string, folders: readonly string[], matches: RegExp): string[] {
  const found: string[] = [];
  for (const folder of folders) walk(root, folder, matches, found);
  return found.sort();
}

function walk(root: string, folder: string, matches: RegExp, found: string[]): void {
  for (const entry of entriesOf(`${root}/${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && entry.name !== "node_modules") walk(root, path, matches, found);
    else if (entry.isFile && matches.test(entry.name)) found.push(path);
  }
}

function entriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

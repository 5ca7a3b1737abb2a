import { PosternError } from "../../shared/errors.ts";
import { fromOsError } from "../files/os_error.ts";

/** Entries of a folder, or why it could not be listed. */
export interface FolderListing {
  readonly entries: readonly Deno.DirEntry[];
  readonly error?: PosternError;
}

/** Lists a folder in the order of the names' code units, which is the same on every machine. */
export async function listFolder(path: string): Promise<FolderListing> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(path)) entries.push(entry);
  } catch (error) {
    return { entries: [], error: fromOsError(error, `list ${path}`) };
  }
  return { entries: entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) };
}

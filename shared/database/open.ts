/** Opens the database that a configuration names. Workers import `remote.ts` instead, and so bundle no native code. */
import { PosternError } from "../errors.ts";
import type { Database } from "./database.ts";
import type { EmbeddedOptions } from "./embedded.ts";
import type { RemoteOptions } from "./remote.ts";

/** Options of both drivers; each takes its own. */
export type OpenOptions = EmbeddedOptions & RemoteOptions;

/**
 * Opens `file:path` (relative or absolute, no percent encoding) or `:memory:` embedded, and `http:`, `https:`, `ws:`, `wss:` or `libsql:` URLs remotely.
 * Throws `configuration` for anything else, or for options that belong to the other driver and would be left out without a word.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Database> {
  const embedded = url === ":memory:" || url.startsWith("file:");
  if (embedded && options.authToken !== undefined) {
    throw new PosternError("configuration", "A database file takes no token; remove it, or give the URL of a server.");
  }
  if (!embedded && options.encryptionKey !== undefined) {
    throw new PosternError("configuration", "Only a database file is encrypted here; a server keeps its own keys.");
  }
  if (embedded) {
    const { openEmbedded } = await import("./embedded.ts");
    return await openEmbedded(url === ":memory:" ? url : filePath(url), options);
  }
  const { openRemote } = await import("./remote.ts");
  return openRemote(url, options);
}

function filePath(url: string): string {
  // file:name, file:/name and file:///name all occur; with two slashes a host would follow, and no file has one.
  const path = url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
  if (path === "" || path.startsWith("//") || path.includes("?")) {
    throw new PosternError("configuration", "The database URL has no path after file:, or a host or query in it.");
  }
  return path;
}

/**
 * Reads certificates from files and folders: PEM bundles and DER, whatever the names end in.
 *
 * Each certificate, and each thing that could not be read, comes as an item of its own: one bad file among a thousand
 * must not end an import.
 */
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { fromOsError } from "../files/os_error.ts";
import { readBounded } from "../files/read_bounded.ts";
import { certificatesIn, type FoundCertificate } from "./file_content.ts";

/**
 * Yields what is in the files and folders, in the order given, folders sorted by name.
 *
 * A file is read once however many links lead to it; links that form a loop end there. Bounded by `LIMITS`.
 */
export async function* readCertificateFiles(paths: readonly string[]): AsyncGenerator<FoundCertificate> {
  const seen = new Set<string>();
  for (const path of paths) yield* readPath(path, seen, 0);
}

async function* readPath(path: string, seen: Set<string>, depth: number): AsyncGenerator<FoundCertificate> {
  let found: FoundCertificate[] | string[];
  try {
    const real = await Deno.realPath(path);
    if (seen.has(real)) return;
    if (seen.size >= LIMITS.maxImportFiles) throw tooLarge(`more than ${LIMITS.maxImportFiles} files in one import`);
    seen.add(real);
    if ((await Deno.stat(real)).isDirectory) {
      if (depth >= LIMITS.maxImportDepth) throw tooLarge(`folders nested deeper than ${LIMITS.maxImportDepth}`);
      found = await listFolder(path);
    } else found = certificatesIn(path, await readBounded(real, LIMITS.maxCertificateFileBytes));
  } catch (error) {
    yield { source: path, error: fromOsError(error, `read ${path}`) };
    return;
  }
  for (const item of found) {
    if (typeof item === "string") yield* readPath(item, seen, depth + 1);
    else yield item;
  }
}

async function listFolder(path: string): Promise<string[]> {
  const entries: string[] = [];
  for await (const entry of Deno.readDir(path)) {
    if (entries.length >= LIMITS.maxImportFiles) {
      throw tooLarge(`more than ${LIMITS.maxImportFiles} entries in ${path}`);
    }
    entries.push(`${path.replace(/\/+$/, "")}/${entry.name}`);
  }
  return entries.sort();
}

function tooLarge(found: string): PosternError {
  return new PosternError("too_large", `cannot import certificates: ${found}`);
}

/**
 * Downloaded files, each under its SHA-256. Several tenants of a machine may share a cache and need not trust each other: nothing in
 * it is believed before its hash was computed, and files are only ever put there whole, under a name of their own first.
 */
import { join } from "node:path";
import type { PosternError } from "../../shared/errors.ts";
import { syncFolder } from "../files/durable.ts";
import { fromOsError, osErrorName } from "../files/os_error.ts";
import { temporaryIn } from "../files/temporary.ts";
import { type Content, copyContent, hasContent } from "./hashed_file.ts";

/** For everybody who may look into the folder. */
const CACHED_MODE = 0o644;
const HASH = /^[0-9a-f]{64}$/;

export interface Cache {
  /** Whole files. */
  readonly folder: string;
  /** Where files grow; of this tenant alone. */
  readonly parts: string;
}

export const cachedPath = ({ folder }: Cache, { sha256 }: Content): string => join(folder, sha256);
export const partPath = ({ parts }: Cache, { sha256 }: Content): string => join(parts, sha256);

/** Whether a file is here, and right; one that is wrong is taken away, as far as that is allowed. */
export async function isCached(cache: Cache, content: Content): Promise<boolean> {
  if (await hasContent(cachedPath(cache, content), content)) return true;
  await dropCached(cache, content);
  return false;
}

/** Where a file lies that is here: to be hashed once more as it is used. */
export async function locate(cache: Cache, content: Content): Promise<string> {
  const part = partPath(cache, content);
  return await hasContent(part, content) ? part : cachedPath(cache, content);
}

/** Takes a file out, if it is there and that is allowed. */
async function dropCached(cache: Cache, content: Content): Promise<void> {
  try {
    await Deno.remove(cachedPath(cache, content));
  } catch (error) {
    // In a shared folder with the sticky bit, only the one who put it there may: it is written over, or stays and is not used.
    fromOsError(error, "remove a file of the cache");
  }
}

/**
 * Puts a part that is complete, right and on the disk into the cache. Where another tenant is in the way, with a file that is not to be
 * removed or a folder of that name, the part stays where it is, and is used from there.
 *
 * @throws `storage` for a disk that is full
 */
export async function publishPart(cache: Cache, content: Content): Promise<void> {
  const [part, path] = [partPath(cache, content), cachedPath(cache, content)];
  try {
    await Deno.chmod(part, CACHED_MODE);
    try {
      await Deno.rename(part, path);
    } catch (error) {
      if (!isOtherDevice(error)) throw error;
      await copyInto(cache, content);
    }
    await syncFolder(cache.folder);
  } catch (cause) {
    const error = fromOsError(cause, `write ${path}`);
    if (isFull(error) || !await hasContent(part, content)) throw error;
  }
}

async function copyInto(cache: Cache, content: Content): Promise<void> {
  const temporary = temporaryIn(cache.folder);
  try {
    await copyContent(partPath(cache, content), temporary, content, CACHED_MODE);
    await Deno.rename(temporary, cachedPath(cache, content));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await Deno.remove(partPath(cache, content));
}

/** Takes out everything of this tenant's alone but these. @param isShared others use the cache: only parts are taken out */
export async function pruneCache(cache: Cache, keep: readonly Content[], isShared: boolean): Promise<void> {
  const kept = new Set(keep.map(({ sha256 }) => sha256));
  try {
    for (const folder of isShared ? [cache.parts] : [cache.folder, cache.parts]) {
      for await (const { name, isFile } of Deno.readDir(folder)) {
        if (isFile && HASH.test(name) && !kept.has(name)) await Deno.remove(join(folder, name));
      }
    }
  } catch (error) {
    throw fromOsError(error, `clear ${cache.folder}`);
  }
}

function isOtherDevice(error: unknown): boolean {
  return osErrorName(error) === "EXDEV";
}

function isFull({ cause }: PosternError): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(osErrorName(cause));
}

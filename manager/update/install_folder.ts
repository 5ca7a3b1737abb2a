/**
 * Where versions are installed side by side:
 *
 *     releases/1.2.0/   the files of a release, in the place of their paths
 *     current           a symbolic link to the one that runs, replaced in one step
 *     update.json       the switch that is under way, if one is
 *     lock              held while anything here changes
 *
 * What begins with a full stop is unfinished and swept.
 */
import { dirname, join } from "node:path";
import * as v from "valibot";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { ReleaseManifest } from "../../shared/manifest/manifest.ts";
import { compareVersions, isVersion } from "../../shared/manifest/version.ts";
import { removeDurably, syncFolder, writeFileDurably } from "../files/durable.ts";
import { fromOsError } from "../files/os_error.ts";
import { readBounded } from "../files/read_bounded.ts";
import { copyContent, readContent } from "./hashed_file.ts";

const RELEASES = "releases";
const CURRENT = "current";
const JOURNAL = "update.json";
const FOLDER_MODE = 0o755;
const MODES = { "0644": 0o644, "0755": 0o755 } as const;

const version = v.pipe(v.string(), v.maxLength(128), v.check(isVersion));
const journal = v.strictObject({
  product: v.string(),
  /** Null before the first version. */
  from: v.nullable(version),
  to: version,
  /** `switching` until the new version has proved itself, `returning` once it has not. */
  step: v.picklist(["switching", "returning"] as const),
});

/** A switch under way. */
export type Journal = v.InferOutput<typeof journal>;

/** Where a version lies. */
export function versionFolder(folder: string, named: string): string {
  return join(folder, RELEASES, named);
}

/** The version that runs; undefined before the first. @throws `storage` if something else than a version of this folder runs */
export async function currentVersion(folder: string): Promise<string | undefined> {
  let target: string;
  try {
    target = await Deno.readLink(join(folder, CURRENT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fromOsError(error, `read ${join(folder, CURRENT)}`);
  }
  const named = target.startsWith(`${RELEASES}/`) ? target.slice(RELEASES.length + 1) : "";
  if (isVersion(named)) return named;
  throw new PosternError("storage", `${join(folder, CURRENT)} does not lead to one of the versions beside it`);
}

/** Versions that lie there complete, the newest first. */
export async function stagedVersions(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, RELEASES))) {
      if (isDirectory && isVersion(name)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fromOsError(error, `read ${folder}`);
  }
  return names.sort((a, b) => compareVersions(b, a));
}

/**
 * Lays a release down beside the others, under its name only once all of it is there and on the disk.
 *
 * @param cached where a file's content lies; it is hashed again as it is copied
 * @throws `tampered`, `not_found`, `storage`; nothing is left then
 */
export async function stageRelease(
  folder: string,
  manifest: ReleaseManifest,
  cached: (file: ReleaseManifest["files"][number]) => Promise<string>,
): Promise<void> {
  const final = versionFolder(folder, manifest.version);
  const staging = join(folder, RELEASES, `.staging-${manifest.version}`);
  try {
    await removeTree(staging);
    await Deno.mkdir(staging, { mode: 0o700 });
    const folders = new Set<string>();
    for (const file of manifest.files) {
      const path = join(staging, ...file.path.split("/"));
      for (let parent = dirname(path); parent !== staging && !folders.has(parent); parent = dirname(parent)) {
        folders.add(parent);
      }
      await Deno.mkdir(dirname(path), { recursive: true });
      await copyContent(await cached(file), path, file, MODES[file.mode]);
    }
    for (const one of [...folders, staging]) {
      await Deno.chmod(one, FOLDER_MODE);
      await syncFolder(one);
    }
    await removeTree(final);
    await Deno.rename(staging, final);
    await syncFolder(join(folder, RELEASES));
  } catch (error) {
    await removeTree(staging).catch(() => {});
    throw fromOsError(error, `stage ${final}`);
  }
}

/** Passes a staged release that is what its manifest says: these files, and nothing else. @throws `tampered`, `storage` */
export async function requireStaged(folder: string, manifest: ReleaseManifest): Promise<void> {
  const root = versionFolder(folder, manifest.version);
  const files = new Map(manifest.files.map((file) => [file.path, file]));
  let seen = 0;
  for await (const { path, info } of walk(root, "")) {
    const file = files.get(path);
    if (file === undefined) throw new PosternError("tampered", `${root} holds something that is not of the release`);
    await readContent(join(root, ...path.split("/")), file);
    if (info.mode !== null && (info.mode & 0o777) !== MODES[file.mode]) {
      throw new PosternError("tampered", `A file in ${root} has another mode than the manifest says`);
    }
    seen++;
  }
  if (seen !== files.size) throw new PosternError("tampered", `${root} does not hold all files of the release`);
}

/** Everything but folders, with paths as manifests have them; links are not followed. */
async function* walk(root: string, under: string): AsyncGenerator<{ path: string; info: Deno.FileInfo }> {
  try {
    for await (const { name } of Deno.readDir(join(root, under))) {
      const path = under === "" ? name : `${under}/${name}`;
      const info = await Deno.lstat(join(root, path));
      if (info.isDirectory) yield* walk(root, path);
      else yield { path, info };
    }
  } catch (error) {
    throw fromOsError(error, `read ${root}`);
  }
}

/** Lets a staged version be the one that runs, in one step. @throws `storage` */
export async function pointTo(folder: string, named: string): Promise<void> {
  const temporary = join(folder, `.current-${crypto.randomUUID()}`);
  try {
    await Deno.symlink(`${RELEASES}/${named}`, temporary);
    await Deno.rename(temporary, join(folder, CURRENT));
    await syncFolder(folder);
  } catch (error) {
    throw fromOsError(error, `switch ${folder} to ${named}`);
  }
}

/** Undoes a first switch: nothing runs again. */
export async function pointNowhere(folder: string): Promise<void> {
  if (await currentVersion(folder) !== undefined) await removeDurably(join(folder, CURRENT));
}

/** The switch that was under way when its process ended; null for none. @throws `storage` for a damaged one */
export async function readJournal(folder: string): Promise<Journal | null> {
  try {
    return v.parse(
      journal,
      JSON.parse(new TextDecoder().decode(await readBounded(join(folder, JOURNAL), LIMITS.maxJournalBytes))),
    );
  } catch (cause) {
    if (isPosternError(cause, "not_found")) return null;
    if (isPosternError(cause)) throw cause;
    throw new PosternError("storage", `${join(folder, JOURNAL)} is damaged; look at ${folder} and remove it`, {
      cause,
    });
  }
}

export async function writeJournal(folder: string, entry: Journal): Promise<void> {
  await writeFileDurably(join(folder, JOURNAL), utf8(`${JSON.stringify(entry)}\n`));
}

export async function clearJournal(folder: string): Promise<void> {
  await removeDurably(join(folder, JOURNAL));
}

/** Makes the folder ready, and sweeps what is unfinished. Under its lock. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(join(folder, RELEASES), { recursive: true, mode: FOLDER_MODE });
    for (const parent of [folder, join(folder, RELEASES)]) {
      for await (const { name } of Deno.readDir(parent)) {
        if (/^\.(staging|removing|current|postern)-/.test(name)) await removeTree(join(parent, name));
      }
    }
  } catch (error) {
    throw fromOsError(error, `prepare ${folder}`);
  }
}

/** Removes the oldest versions beyond so many; never those that are named, of which one may be none. */
export async function pruneVersions(
  folder: string,
  keep: number,
  needed: readonly (string | null)[],
): Promise<string[]> {
  const removed: string[] = [];
  for (const old of (await stagedVersions(folder)).slice(keep)) {
    if (needed.includes(old)) continue;
    const going = join(folder, RELEASES, `.removing-${old}`);
    try {
      await Deno.rename(versionFolder(folder, old), going);
      await removeTree(going);
    } catch (error) {
      throw fromOsError(error, `remove version ${old}`);
    }
    removed.push(old);
  }
  return removed;
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

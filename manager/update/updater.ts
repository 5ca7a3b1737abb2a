/** What an owner asks of updates, each one step further than the one before: check, download, apply; and back. */
import { join, resolve } from "node:path";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import type { ReleaseManifest } from "../../shared/manifest/manifest.ts";
import { compareVersions } from "../../shared/manifest/version.ts";
import { noteEvent } from "../audit/note.ts";
import { makePrivateFolder } from "../files/durable.ts";
import { type DataFolderLock, lockForTask } from "../files/lock.ts";
import { fromOsError } from "../files/os_error.ts";
import { type Cache, locate, pruneCache } from "./cache.ts";
import { type Checked, checkForUpdate } from "./check.ts";
import { type Downloaded, downloadRelease } from "./download.ts";
import {
  currentVersion,
  prepareFolder,
  pruneVersions,
  readJournal,
  requireStaged,
  stagedVersions,
  stageRelease,
} from "./install_folder.ts";
import type { Pace } from "./pace.ts";
import { mark, releaseRecords, requireRelease } from "./releases.ts";
import type { Followed } from "./repository.ts";
import { openSource } from "./open_source.ts";
import { recoverSwitch, type Switched, switchVersion } from "./switch.ts";

export interface UpdateEnvironment {
  readonly db: Database;
  readonly dataFolder: string;
  readonly followed: Followed;
  readonly network: Pick<Surroundings, "fetch" | "now" | "wait">;
  readonly pid: number;
  readonly pace?: Pace | undefined;
  readonly stop?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
  /** Take a release before its turn. */
  readonly ignoresRollout?: boolean;
  /** Do not take a release that was gone back from. */
  readonly isUnattended?: boolean;
}

/** Files that are not what a manifest says. */
const REFUSED = ["tampered", "too_large"] as const;

/** A release that is complete in the cache. */
export interface Fetched extends Downloaded {
  readonly manifest: ReleaseManifest;
}

/** Looks for a release. @throws as `checkForUpdate` */
export async function checkUpdate(env: UpdateEnvironment): Promise<Checked> {
  await using _lock = await lockUpdates(env);
  return await checkHere(env);
}

/** Looks for a release and downloads it. @returns null if there is nothing newer */
export async function downloadUpdate(env: UpdateEnvironment): Promise<Fetched | null> {
  await using _lock = await lockUpdates(env);
  return await downloadHere(env);
}

/** Looks for a release, downloads it, and switches to it. @returns null if there is nothing newer */
export async function applyUpdate(env: UpdateEnvironment): Promise<Switched | null> {
  await using _lock = await lockUpdates(env);
  const folder = installFolder(env);
  await using _install = await lockInstall(env, folder);
  const switching = { db: env.db, config: env.followed.config, folder, now: env.network.now(), stop: env.stop };
  const recovered = await recoverSwitch(switching);
  if (recovered !== null) return recovered;
  const fetched = await downloadHere(env);
  if (fetched === null) return null;
  const { manifest } = fetched;
  const cache = await openCache(env);
  await notingRefusal(env, manifest.version, async () => {
    await stage(folder, manifest, cache);
    // Whatever happened since it was staged: what is switched to is what was signed.
    await requireStaged(folder, manifest);
  });
  const from = await currentVersion(folder) ?? null;
  const switched = await switchVersion(switching, from, manifest.version);
  await tidy(env, folder, cache, switched, manifest);
  return switched;
}

/**
 * Finishes a switch that was cut off, or goes back.
 *
 * @returns null if there was none
 * @throws `conflict` while another process updates
 */
export async function recoverUpdate(env: UpdateEnvironment): Promise<Switched | null> {
  const { db, followed: { config }, network, stop } = env;
  if (config.install === null || await readJournal(config.install) === null) return null;
  await using _lock = await lockUpdates(env);
  await using _install = await lockInstall(env, config.install);
  return await recoverSwitch({ db, config, folder: config.install, now: network.now(), stop });
}

/**
 * Goes back to a version that is still there, by the owner's own decision (spec: MAN-22).
 *
 * @param version undefined for the newest one below the one that runs
 * @throws `not_found` when there is none; `tampered` when it is not what its manifest says
 */
export async function rollBack(env: UpdateEnvironment, version: string | undefined): Promise<Switched> {
  await using _lock = await lockUpdates(env);
  const folder = installFolder(env);
  const { db, followed: { config }, stop } = env;
  await using _install = await lockInstall(env, folder);
  const switching = { db, config, folder, now: env.network.now(), stop };
  await recoverSwitch(switching);
  const from = await currentVersion(folder) ?? null;
  const staged = await stagedVersions(folder);
  const to = version === undefined
    ? staged.find((one) => from !== null && compareVersions(one, from) < 0)
    : staged.find((one) => one === version && one !== from);
  if (to === undefined) {
    throw new PosternError(
      "not_found",
      `There is no such version to go back to; staged are: ${staged.join(", ") || "none"}`,
    );
  }
  const { manifest } = await requireRelease(db, config.product, to);
  await notingRefusal(env, to, () => requireStaged(folder, manifest));
  const switched = await switchVersion(switching, from, to);
  if (switched.returned === null && from !== null) {
    await db.batch([
      mark.returned({ product: config.product, version: from }, switching.now),
      noteEvent("update.returned", config.product, { from, to, why: "the owner's decision" }, switching.now),
    ]);
  }
  return switched;
}

/** What is installed. */
export interface Installed {
  readonly current: string | null;
  readonly staged: readonly string[];
  /** A switch was cut off, so that `current` has not proven itself. */
  readonly isUnderWay: boolean;
}

/** What runs, and what lies beside it. */
export async function installed(env: UpdateEnvironment): Promise<Installed> {
  const { install } = env.followed.config;
  if (install === null) return { current: null, staged: [], isUnderWay: false };
  return {
    current: await currentVersion(install) ?? null,
    staged: await stagedVersions(install),
    isUnderWay: await readJournal(install) !== null,
  };
}

async function checkHere(env: UpdateEnvironment): Promise<Checked> {
  const { db, followed, network, pace, stop, ignoresRollout = false } = env;
  const { current } = await installed(env);
  const source = openSource(followed.config.source, network.fetch);
  const version = current ?? undefined;
  return await checkForUpdate({
    db,
    source,
    followed,
    installed: version,
    now: network.now(),
    pace,
    stop,
    ignoresRollout,
  });
}

async function downloadHere(env: UpdateEnvironment): Promise<Fetched | null> {
  const { db, followed, network, pace, stop, onProgress } = env;
  const { release: manifest } = await checkHere(env);
  if (manifest === null || (env.isUnattended === true && await wasReturned(env, manifest))) return null;
  const source = openSource(followed.config.source, network.fetch);
  const cache = await openCache(env);
  const { product, version } = manifest;
  const downloading = { source, cache, wait: network.wait, pace, stop, onProgress };
  const done = await notingRefusal(env, version, () => downloadRelease(manifest, downloading));
  const { record } = await requireRelease(db, product, version);
  if (record.downloaded === null || done.fetched > 0) {
    const detail = { version, fetched: done.fetched, reused: done.reused };
    await db.batch([
      mark.downloaded(manifest, network.now()),
      noteEvent("update.downloaded", product, detail, network.now()),
    ]);
  }
  return { ...done, manifest };
}

/** What a release is refused for after it was found stands in the audit trail as well (spec: AUDIT-05). */
async function notingRefusal<T>(env: UpdateEnvironment, version: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isPosternError(error) && REFUSED.some((code) => code === error.code)) {
      const { db, network, followed: { config: { product } } } = env;
      const detail = { outcome: error.code, message: error.message, version };
      await db.batch([noteEvent("update.refused", product, detail, network.now())]);
    }
    throw error;
  }
}

async function wasReturned({ db }: UpdateEnvironment, { product, version }: ReleaseManifest): Promise<boolean> {
  return (await releaseRecords(db, product)).some((one) => one.version === version && one.returned !== null);
}

/** Lays a release down, unless it is there and right. */
async function stage(folder: string, manifest: ReleaseManifest, cache: Cache): Promise<void> {
  try {
    return await requireStaged(folder, manifest);
  } catch (error) {
    if (!isPosternError(error)) throw error;
  }
  await stageRelease(folder, manifest, (file) => locate(cache, file));
}

async function tidy(
  { followed: { config } }: UpdateEnvironment,
  folder: string,
  cache: Cache,
  { from, to, returned }: Switched,
  { files }: ReleaseManifest,
): Promise<void> {
  if (returned !== null) return;
  await pruneVersions(folder, config.keep, [from, to]);
  await pruneCache(cache, files, config.cache !== null);
}

function installFolder({ followed: { config } }: UpdateEnvironment): string {
  if (config.install !== null) return config.install;
  throw new PosternError("configuration", "Where to? postern update configure --install DIR");
}

async function openCache({ dataFolder, followed: { config } }: UpdateEnvironment): Promise<Cache> {
  const own = join(dataFolder, "update");
  const cache = { folder: config.cache ?? join(own, "cache"), parts: join(own, "parts") };
  await makePrivateFolder(cache.parts);
  if (config.cache === null) await makePrivateFolder(cache.folder);
  return cache;
}

async function lockUpdates({ dataFolder, network, pid }: UpdateEnvironment): Promise<DataFolderLock> {
  const folder = join(resolve(dataFolder), "update");
  await makePrivateFolder(folder);
  const self = { pid, sinceMillis: network.now() };
  return await lockForTask(folder, "Another update of this manager is under way", self);
}

async function lockInstall({ network, pid }: UpdateEnvironment, folder: string): Promise<DataFolderLock> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw fromOsError(error, `make ${folder}`);
  }
  const self = { pid, sinceMillis: network.now() };
  const lock = await lockForTask(folder, `Another update of ${folder} is under way`, self);
  await prepareFolder(folder);
  return lock;
}

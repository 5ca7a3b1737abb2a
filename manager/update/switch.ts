/**
 * Switches from one staged version to another, and back by itself when the new one does not prove itself. Each step is on the disk
 * before the next one, so that a process which is killed anywhere leaves something that the next one finishes.
 */
import type { Database } from "../../shared/database/database.ts";
import { isPosternError } from "../../shared/errors.ts";
import { noteEvent } from "../audit/note.ts";
import type { UpdateConfig } from "./config.ts";
import { checkHealth, type Health } from "./health.ts";
import {
  clearJournal,
  currentVersion,
  type Journal,
  pointNowhere,
  pointTo,
  readJournal,
  requireStaged,
  versionFolder,
  writeJournal,
} from "./install_folder.ts";
import { mark, requireRelease } from "./releases.ts";

export interface SwitchEnvironment {
  readonly db: Database;
  readonly config: UpdateConfig;
  /** Where versions are installed; locked. */
  readonly folder: string;
  /** Millis. */
  readonly now: number;
  readonly stop?: AbortSignal | undefined;
}

/** How a switch ended. */
export interface Switched {
  readonly from: string | null;
  readonly to: string;
  /** Why the version before was gone back to; null when the new one runs. */
  readonly returned: Health;
}

/** Switches. Both versions are staged and verified. @throws `storage`; the next start finishes what was begun */
export async function switchVersion(env: SwitchEnvironment, from: string | null, to: string): Promise<Switched> {
  const entry: Journal = { product: env.config.product, from, to, step: "switching" };
  await writeJournal(env.folder, entry);
  await pointTo(env.folder, to);
  return await prove(env, entry);
}

/**
 * Finishes the switch that a process left behind: the new version proves itself, or the one before comes back.
 *
 * @returns null if there was none, or it had not begun
 */
export async function recoverSwitch(env: SwitchEnvironment): Promise<Switched | null> {
  const entry = await readJournal(env.folder);
  if (entry === null) return null;
  if (entry.step === "returning") return await goBack(env, entry, "the switch was cut off on its way back");
  if (await currentVersion(env.folder) === entry.to) return await prove(env, entry);
  await clearJournal(env.folder);
  return null;
}

async function prove(env: SwitchEnvironment, entry: Journal): Promise<Switched> {
  const { db, config, folder, now, stop } = env;
  const { product, from, to } = entry;
  const health = await checkContent(env, entry) ??
    await checkHealth(versionFolder(folder, to), config.health, config.healthMillis, stop);
  if (health !== null) {
    await writeJournal(folder, { ...entry, step: "returning" });
    return await goBack(env, entry, health);
  }
  await db.batch([
    mark.applied({ product, version: to }, now),
    noteEvent("update.applied", product, { from, to }, now),
  ]);
  await clearJournal(folder);
  return { from, to, returned: null };
}

/**
 * Whether what is switched to is still what was signed. It was before the switch; a file that was changed between that look and the
 * switch is found here, before anything of it is run.
 */
async function checkContent({ db, folder }: SwitchEnvironment, { product, to }: Journal): Promise<Health> {
  try {
    await requireStaged(folder, (await requireRelease(db, product, to)).manifest);
    return null;
  } catch (error) {
    if (isPosternError(error, "tampered") || isPosternError(error, "not_found")) return error.message;
    throw error;
  }
}

async function goBack({ db, folder, now }: SwitchEnvironment, entry: Journal, why: string): Promise<Switched> {
  const { product, from, to } = entry;
  if (from === null) await pointNowhere(folder);
  else await pointTo(folder, from);
  await db.batch([
    mark.returned({ product, version: to }, now),
    noteEvent("update.returned", product, { from: to, to: from, why }, now),
  ]);
  await clearJournal(folder);
  return { from, to, returned: why };
}

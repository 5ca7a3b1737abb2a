/** Updates without anybody looking: what `postern run` does beside its turns. */
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { type ErrorCode, isPosternError, type PosternError } from "../../shared/errors.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { chainEvents } from "../audit/chain.ts";
import { isWithin } from "./config.ts";
import { type Followed, followed, lastCheck } from "./repository.ts";
import { applyUpdate, checkUpdate, downloadUpdate, type UpdateEnvironment } from "./updater.ts";

/** What a turn did for one product. */
export interface UpdateReport {
  readonly product: string;
  /** For people. */
  readonly text: string;
  /** The code of an error after which what runs keeps running. */
  readonly code: ErrorCode | null;
  /** The service shall end, so that the new version is started. */
  readonly restarts: boolean;
}

export interface UnattendedEnvironment {
  readonly db: Database;
  readonly dataFolder: string;
  readonly network: Surroundings;
  readonly pid: number;
  readonly stop: AbortSignal;
  readonly report: (report: UpdateReport) => void;
}

/** Makes a report of a turn in which nothing was wrong. */
type Told = (text: string, restarts?: boolean) => UpdateReport;

/** Between two looks whether one of the products is due. */
const TICK_MILLIS = 60_000;
/** What the owner must see even when nobody looks at the log. */
const ALARMING: readonly ErrorCode[] = ["signature", "tampered", "rolled_back", "forked", "mixed_up", "revoked"];

/** Does update turns until it is stopped, or a version was switched to for which the service has to be started anew. */
export async function runUpdates(env: UnattendedEnvironment): Promise<"stopped" | "restart"> {
  const { network, stop } = env;
  while (!stop.aborted) {
    for (const report of await updateTurn(env)) {
      env.report(report);
      if (report.restarts) return "restart";
    }
    try {
      await network.wait(TICK_MILLIS, stop);
    } catch (error) {
      if (!stop.aborted || error !== stop.reason) throw error;
    }
  }
  return "stopped";
}

/** One turn: for each product that is due, as far as its owner lets it go. */
export async function updateTurn(env: Omit<UnattendedEnvironment, "report">): Promise<UpdateReport[]> {
  const reports: UpdateReport[] = [];
  for (const one of await followed(env.db)) {
    if (env.stop.aborted || !await isDue(env, one)) continue;
    reports.push(await turnOf(env, one));
    await chainEvents(env.db);
  }
  return reports;
}

/**
 * At the interval; and, where it may apply, within the window also when a release was found before it, so that none waits for the next
 * window because the interval is as long as a day.
 */
async function isDue({ db, network }: Omit<UnattendedEnvironment, "report">, { config }: Followed): Promise<boolean> {
  if (config.auto === "off") return false;
  const check = await lastCheck(db, config.product);
  if (check === null) return true;
  const now = network.now();
  // A clock that was set back does not stop updates.
  if (now - check.time >= config.intervalMillis || now < check.time) return true;
  const opened = config.window === null ? false : isWithin(config.window, now) && !isWithin(config.window, check.time);
  return config.auto === "apply" && check.outcome === "found" && opened;
}

async function turnOf(env: Omit<UnattendedEnvironment, "report">, one: Followed): Promise<UpdateReport> {
  const { db, dataFolder, network, pid, stop } = env;
  const { config } = one;
  const update: UpdateEnvironment = { db, dataFolder, followed: one, network, pid, stop, isUnattended: true };
  const told: Told = (text, restarts = false) => ({ product: config.product, text, code: null, restarts });
  try {
    const applies = config.auto === "apply" && config.install !== null;
    const isOpen = isWithin(config.window, network.now());
    if (applies && isOpen) return await switchOver(update, told);
    if (config.auto === "check") {
      const { release } = await checkUpdate(update);
      return told(release === null ? "nothing newer" : `release ${release.version} is there: postern update apply`);
    }
    const fetched = await downloadUpdate(update);
    if (fetched === null) return told(await whyNothing(db, config.product));
    const { version, isCritical } = fetched.manifest;
    if (!applies || !isCritical) return told(`release ${version} is downloaded`);
    if (config.criticalAtOnce) return await switchOver(update, told);
    return told(`release ${version}, which is critical, is downloaded and waits for the window: postern update apply`);
  } catch (error) {
    if (stop.aborted && error === stop.reason) return told("stopped");
    if (!isPosternError(error)) throw error;
    return await failed(env, config.product, error);
  }
}

/** Switches to what there is, or goes back. */
async function switchOver(update: UpdateEnvironment, told: Told): Promise<UpdateReport> {
  const { db, network, followed: { config } } = update;
  const switched = await applyUpdate(update);
  if (switched === null) return told(await whyNothing(db, config.product));
  const { from, to, returned } = switched;
  if (returned === null) return told(`switched from ${from ?? "nothing"} to ${to}`, config.restarts);
  await raiseAlarm(db, "conflict", `Release ${to} of ${config.product} did not work: ${returned}`, network.now());
  return told(`went back from ${to} to ${from ?? "nothing"}: ${returned}`);
}

/** Nothing was taken, although something may have been found. */
async function whyNothing(db: Database, product: string): Promise<string> {
  const check = await lastCheck(db, product);
  if (check?.outcome !== "found") return "nothing newer";
  return `release ${check.version} did not work or was gone back from: postern update apply takes it`;
}

async function failed(
  { db, network }: Omit<UnattendedEnvironment, "report">,
  product: string,
  { code, message }: PosternError,
): Promise<UpdateReport> {
  if (ALARMING.includes(code)) await raiseAlarm(db, code, `Updates of ${product}: ${message}`, network.now());
  return { product, code, text: `${message} [${code}]; what runs keeps running`, restarts: false };
}

/** Updates without anybody looking: what `postern run` does beside its turns. */
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { chainEvents } from "../audit/chain.ts";
import { isWithin } from "./config.ts";
import { type Followed, followed, lastCheck, putCheck } from "./repository.ts";
import type { Switched } from "./switch.ts";
import { tellNothing } from "./tell_checked.ts";
import { applyUpdate, checkUpdate, downloadUpdate, recoverUpdate, type UpdateEnvironment } from "./updater.ts";

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
const ALARMING: readonly ErrorCode[] = [
  "signature",
  "tampered",
  "rolled_back",
  "forked",
  "mixed_up",
  "revoked",
  "untrusted",
  // Such as what the service may not do: no further try mends it.
  "configuration",
];

/** Does update turns until it is stopped, or a version was switched to for which the service has to be started anew. */
export async function runUpdates(env: UnattendedEnvironment): Promise<"stopped" | "restart"> {
  const { network, stop } = env;
  while (!stop.aborted) {
    for (const report of await wholeTurn(env)) {
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

/** A turn; what goes wrong with the whole of it does not end the service, which has more to do than this. */
async function wholeTurn(env: UnattendedEnvironment): Promise<UpdateReport[]> {
  const { db, network, stop } = env;
  try {
    return await updateTurn(env);
  } catch (error) {
    if (stop.aborted) return [];
    const wrong = isPosternError(error) ? error : unforeseen(error);
    const { code, message } = wrong;
    // It may be the database that fails.
    await raiseAlarm(db, code, `Updates: ${message}`, network.now()).catch(() => {});
    return [{ product: "all products", code, text: tellError(wrong), restarts: false }];
  }
}

/** One turn: for each product that is due, as far as its owner lets it go. */
export async function updateTurn(env: Omit<UnattendedEnvironment, "report">): Promise<UpdateReport[]> {
  const reports: UpdateReport[] = [];
  for (const one of await followed(env.db)) {
    const done = [await reported(env, one, recovery), await reported(env, one, turnWhenDue)];
    reports.push(...done.flatMap((report) => report ?? []));
    if (done.some((report) => report !== null)) await chainEvents(env.db);
  }
  return reports;
}

/** What there was to do, or what went wrong with it: whatever that is, what runs keeps running. */
async function reported(
  env: Omit<UnattendedEnvironment, "report">,
  one: Followed,
  run: (update: UpdateEnvironment, told: Told) => Promise<UpdateReport | null>,
): Promise<UpdateReport | null> {
  const { db, dataFolder, network, pid, stop } = env;
  const { product } = one.config;
  const update: UpdateEnvironment = { db, dataFolder, followed: one, network, pid, stop, isUnattended: true };
  const told: Told = (text, restarts = false) => ({ product, text, code: null, restarts });
  if (stop.aborted) return null;
  const began = network.now();
  try {
    return await run(update, told);
  } catch (error) {
    if (stop.aborted && error === stop.reason) return told("stopped");
    if (!isPosternError(error)) return await failed(env, product, unforeseen(error), { began, isAlarming: true });
    // Another process updates just now: that is tried again at the next tick.
    if (error.code === "conflict") return { product, code: error.code, text: tellError(error), restarts: false };
    return await failed(env, product, error, { began, isAlarming: ALARMING.includes(error.code) });
  }
}

/** A switch that was cut off is taken up whatever the hour, and however far the owner lets updates go by themselves. */
async function recovery(update: UpdateEnvironment, told: Told): Promise<UpdateReport | null> {
  const recovered = await recoverUpdate(update).catch((error) => {
    // Somebody switches by hand just now.
    if (isPosternError(error, "conflict")) return null;
    throw error;
  });
  return recovered === null ? null : await tellSwitch(update, recovered, told, true);
}

async function turnWhenDue(update: UpdateEnvironment, told: Told): Promise<UpdateReport | null> {
  return await isDue(update) ? await turnOf(update, told) : null;
}

function unforeseen(error: unknown): PosternError {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `a thrown ${typeof error}`;
  return new PosternError("conflict", `an error that Postern did not foresee: ${what}. Please report it`, {
    cause: error,
  });
}

/**
 * At the interval; and, where it may apply, within the window also when a release was found before it, so that none waits for the next
 * window because the interval is as long as a day.
 */
async function isDue({ db, network, followed: { config } }: UpdateEnvironment): Promise<boolean> {
  if (config.auto === "off") return false;
  const check = await lastCheck(db, config.product);
  if (check === null) return true;
  const now = network.now();
  // A clock that was set back does not stop updates.
  if (now - check.time >= config.intervalMillis || now < check.time) return true;
  const opened = config.window === null ? false : isWithin(config.window, now) && !isWithin(config.window, check.time);
  return config.auto === "apply" && check.outcome === "found" && opened;
}

async function turnOf(update: UpdateEnvironment, told: Told): Promise<UpdateReport> {
  const { db, network, followed: { config } } = update;
  const applies = config.auto === "apply" && config.install !== null;
  const isOpen = isWithin(config.window, network.now());
  if (applies && isOpen) return await switchOver(update, told);
  if (config.auto === "check") {
    const { release } = await checkUpdate(update);
    return told(
      release === null
        ? await whyNothing(db, config.product)
        : `release ${release.version} is there: postern update apply`,
    );
  }
  const fetched = await downloadUpdate(update);
  if (fetched === null) return told(await whyNothing(db, config.product));
  const { version, isCritical } = fetched.manifest;
  if (!applies || !isCritical) return told(`release ${version} is downloaded`);
  if (config.criticalAtOnce) return await switchOver(update, told);
  return told(`release ${version}, which is critical, is downloaded and waits for the window: postern update apply`);
}

/** Switches to what there is, or goes back. */
async function switchOver(update: UpdateEnvironment, told: Told): Promise<UpdateReport> {
  const switched = await applyUpdate(update);
  if (switched === null) return told(await whyNothing(update.db, update.followed.config.product));
  return await tellSwitch(update, switched, told, false);
}

/** @param mayRun whether what was gone back from may be what this process is */
async function tellSwitch(
  { db, network, followed: { config } }: UpdateEnvironment,
  { from, to, returned }: Switched,
  told: Told,
  mayRun: boolean,
): Promise<UpdateReport> {
  if (returned === null) return told(`switched from ${from ?? "nothing"} to ${to}`, config.restarts);
  await raiseAlarm(db, "conflict", `Release ${to} of ${config.product} did not work: ${returned}`, network.now());
  return told(`went back from ${to} to ${from ?? "nothing"}: ${returned}`, mayRun && config.restarts);
}

/** Nothing was taken, although something may have been found. */
async function whyNothing(db: Database, product: string): Promise<string> {
  return tellNothing(await lastCheck(db, product));
}

/** What failed before it came to a check counts as one: it is tried again at the interval, not at every tick. */
async function failed(
  { db, network }: Omit<UnattendedEnvironment, "report">,
  product: string,
  error: PosternError,
  { began, isAlarming }: { readonly began: number; readonly isAlarming: boolean },
): Promise<UpdateReport> {
  const { code, message } = error;
  const now = network.now();
  if (isAlarming) await raiseAlarm(db, code, `Updates of ${product}: ${message}`, now);
  const check = await lastCheck(db, product);
  if (check === null || check.time < began) {
    await db.batch([putCheck({ product, time: now, outcome: code, version: null, detail: message })]);
  }
  return { product, code, text: tellError(error), restarts: false };
}

function tellError({ code, message }: PosternError): string {
  return `${message} [${code}]; what runs keeps running`;
}

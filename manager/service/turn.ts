/** One turn under the data folder's lock: log in at the edge, take the inbox, push, read back. */
import type { Surroundings } from "../../shared/client/surroundings.ts";
import type { Database } from "../../shared/database/database.ts";
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";
import { chainEvents } from "../audit/chain.ts";
import { connectEdge } from "../edge/connect.ts";
import { sweepTemporaryFiles } from "../files/durable.ts";
import { type DataFolderLock, lockDataFolder, type LockHolder } from "../files/lock.ts";
import { readPolicy } from "../store/policy.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { syncOnce, type SyncResult, type SyncStep } from "../sync/sync.ts";

export interface TurnEnvironment {
  readonly db: Database;
  readonly folder: string;
  readonly pid: number;
  readonly network: Surroundings;
  readonly onStep?: (step: SyncStep) => void;
  /** How long to wait for another process's turn to end. */
  readonly lockWaitMillis: number;
}

/** What a turn did, and how long it took. */
export interface TurnDone extends SyncResult {
  readonly millis: number;
  /** Whether the turn before was cut off, so that this one went on from there. */
  readonly hasRecovered: boolean;
}

/** What the owner must see even when nobody looks at the log. */
const ALARMING: readonly ErrorCode[] = ["tampered", "withheld", "rolled_back", "forked", "clock"];
const LOCK_RETRY_MILLIS = 200;

/**
 * Runs a turn.
 *
 * @throws what `syncOnce` throws; an alarm is raised for what points to foul play
 */
export async function runTurn(env: TurnEnvironment, options: { readonly rotate: boolean }): Promise<TurnDone> {
  const { db, folder, network } = env;
  const started = network.monotonic();
  await using lock = await lockWithin(env);
  if (lock.crashed !== null) await sweepTemporaryFiles(folder);
  try {
    const link = await connectEdge(db, network);
    const { now, random } = network;
    const policy = await readPolicy(db);
    const result = await syncOnce(
      { db, link, now, random, policy, ...(env.onStep === undefined ? {} : { onStep: env.onStep }) },
      options,
    );
    await chainEvents(db);
    return { ...result, millis: network.monotonic() - started, hasRecovered: lock.crashed !== null };
  } catch (error) {
    if (isPosternError(error) && ALARMING.includes(error.code)) {
      await raiseAlarm(db, error.code, error.message, network.now());
    }
    throw error;
  }
}

/** Takes the lock of a data folder, once another process's turn in it has ended. @throws `storage` when it does not end in time */
export async function lockWithin(
  { folder, pid, network, lockWaitMillis }: Pick<TurnEnvironment, "folder" | "pid" | "network" | "lockWaitMillis">,
): Promise<DataFolderLock> {
  const self: LockHolder = { pid, sinceMillis: network.now() };
  const until = network.monotonic() + lockWaitMillis;
  for (;;) {
    try {
      return await lockDataFolder(folder, self);
    } catch (error) {
      // What the system refuses, such as a lock file on a full disk, has a cause, and waiting for another turn's end does not help.
      const isHeld = isPosternError(error, "storage") && error.cause === undefined;
      if (!isHeld || network.monotonic() >= until) throw error;
    }
    await network.wait(LOCK_RETRY_MILLIS);
  }
}

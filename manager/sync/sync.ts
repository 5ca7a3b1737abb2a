/** One turn of the manager: agree with the edge on where it stands, take the inbox, push, read back. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { compile } from "../../shared/database/query.ts";
import type { EdgeLink, EdgeState } from "../edge/link.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { type InboxTaken, takeInbox } from "../inbox/take.ts";
import { entryCount } from "../push/changes.ts";
import { currentEpoch } from "../push/epoch.ts";
import { DEFAULT_POLICY, type FullReason, fullReason, type PushPolicy } from "../push/mode.ts";
import { pushDelta, type Pushed, pushFull } from "../push/push.ts";
import { readBackAll, readBackChanges } from "../push/read_back.ts";
import { reconcile } from "../push/reconcile.ts";
import { dropPush, openPush, settlePush, sweepEpochs } from "../push/records.ts";
import { COUNTERS, next, readCounter } from "../store/counters.ts";
import { tables } from "../store/tables.ts";
import { raiseAlarm } from "./alarms.ts";

/** What a turn needs from outside. */
export interface SyncEnvironment {
  readonly db: Database;
  readonly link: EdgeLink;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly policy?: PushPolicy;
  readonly onStep?: (step: SyncStep) => void;
}

/** What a turn is doing, for progress. */
export type SyncStep =
  | { readonly step: "inbox" }
  | { readonly step: "push"; readonly done: number; readonly total: number }
  | { readonly step: "read back"; readonly done: number; readonly total: number };

/** What a turn did. */
export interface SyncResult {
  readonly pushed: Pushed;
  /** Why everything was re-encrypted; null for a delta. */
  readonly reason: FullReason | null;
  readonly inbox: InboxTaken;
}

const committedHead = compile(
  tables.selectFrom("heads").select((e) => e.fn.max<number | null>("generation").as("generation")).where(
    "committed",
    "=",
    1,
  ),
);

/**
 * Runs one turn. Only one may run at a time on a database; the caller holds the lock.
 *
 * @throws `forked` when another manager signs for this owner; `network`, `storage`, `tampered` and so on from the edge
 */
export async function syncOnce(env: SyncEnvironment, options: { readonly rotate?: boolean } = {}): Promise<SyncResult> {
  const { db, link } = env;
  const state = await link.state();
  const edgeLost = await agree(env, state);
  env.onStep?.({ step: "inbox" });
  const inbox = await takeInbox(env);
  const epoch = await currentEpoch(db);
  const situation = {
    epoch: epoch === null
      ? null
      : { devicesVersion: epoch.row.devices_version, sealed: epoch.row.sealed, startedMillis: epoch.row.created },
    ...{ devicesVersion: await readCounter(db, COUNTERS.devicesVersion), entries: await entryCount(db), edgeLost },
    ...{ rotate: options.rotate ?? false, nowMillis: env.now() },
  };
  const reason = fullReason(situation, env.policy ?? DEFAULT_POLICY);
  const pushEnv = { ...env, onProgress: (done: number, total: number) => env.onStep?.({ step: "push", done, total }) };
  const base = edgeLost ? 0 : state.generation;
  const pushed = reason !== null || epoch === null
    ? await pushFull(pushEnv, base, state.head?.head.epoch ?? 0)
    : await pushDelta(pushEnv, base, epoch);
  await readBack(env, pushed, base);
  await sweepEpochs(db);
  return { pushed, reason, inbox };
}

/** Settles what an earlier turn left open; true when the edge has to be filled anew. */
async function agree({ db, link, now }: SyncEnvironment, state: EdgeState): Promise<boolean> {
  const shown = state.head;
  const ours = shown === null ? null : await findHead(db, shown.head.generation);
  const committed = (await db.execute(committedHead)).rows[0]?.generation ?? 0;
  const agreed = reconcile(shown, ours, await newestHead(db), committed);
  const open = await openPush(db);
  if (open?.state === "signed") {
    // The edge switched and its answer was lost, or it did not and the signed head is carried by the next commit.
    if (agreed.kind === "known" && agreed.isNewest) await settlePush(db, open, agreed.generation);
    else await dropPush(db);
  }
  if (agreed.kind !== "went_back") return false;
  await raiseAlarm(
    db,
    "rolled_back",
    `The edge showed generation ${agreed.generation} after it had confirmed ${agreed.committed}; it was filled anew`,
    now(),
  );
  await link.deleteTables(await next(db, COUNTERS.deletion));
  await dropPush(db);
  return true;
}

async function readBack(env: SyncEnvironment, pushed: Pushed, base: number): Promise<void> {
  if (!pushed.isFull) return await readBackChanges(env.link, pushed.head, base, pushed.staged);
  await readBackAll(env.link, pushed.head, (done, total) => env.onStep?.({ step: "read back", done, total }));
}

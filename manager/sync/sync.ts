/** One turn of the manager: agree with the edge on where it stands, take the inbox, push, and check what the edge made of it. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { isPosternError } from "../../shared/errors.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import type { EdgeLink } from "../edge/link.ts";
import { findHead, stripOldHeads } from "../heads/repository.ts";
import { type InboxTaken, takeInbox } from "../inbox/take.ts";
import { entryBound } from "../push/plan/changes.ts";
import { currentEpoch, type OpenEpoch } from "../push/epoch.ts";
import { changedTables, checkProofs } from "../push/verify/check_proofs.ts";
import { epochHasNodes, sweepEpochs, verifiedEpoch } from "../push/epoch_records.ts";
import {
  DEFAULT_POLICY,
  type FullReason,
  fullReason,
  isSmallStore,
  type PushPolicy,
  type PushSituation,
} from "../push/plan/mode.ts";
import { push, type Pushed } from "../push/push.ts";
import { readBackAll, readBackChanges } from "../push/verify/read_back.ts";
import { COUNTERS, readCounter } from "../store/counters.ts";
import { META, readNumber } from "../store/meta.ts";
import { agree, type Standing } from "./agree.ts";
import { raiseAlarm } from "./alarms.ts";

/** What a turn needs from outside. */
export interface SyncEnvironment {
  readonly db: Database;
  /** Logged in for this turn. */
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
  | { readonly step: "trees"; readonly done: number; readonly total: number }
  | { readonly step: "read back"; readonly done: number; readonly total: number };

/** What a turn did. */
export interface SyncResult {
  readonly pushed: Pushed;
  /** Why everything was re-encrypted; null for a delta. */
  readonly reason: FullReason | null;
  readonly inbox: InboxTaken;
}

/**
 * Runs one turn. Only one may run at a time on a database; the caller holds the lock. Whatever ends it, the next turn goes on from where
 * it stopped.
 *
 * @throws `forked` when another manager signs for this owner; `network`, `storage`, `tampered` and so on from the edge
 */
export async function syncOnce(env: SyncEnvironment, options: { readonly rotate?: boolean } = {}): Promise<SyncResult> {
  const { db, link } = env;
  const standing = await agree(db, link, env.now());
  env.onStep?.({ step: "inbox" });
  const inbox = await takeInbox(env);
  const epoch = await currentEpoch(db);
  const { policy = DEFAULT_POLICY } = env;
  const entries = await entryBound(db, policy.fullUpToRows);
  const isSmall = isSmallStore(entries, policy);
  const reason = await reasonFor(env, standing, epoch, { entries, rotate: options.rotate ?? false });
  const { base, edgeEpoch, heldStatement } = standing;
  const onProgress = (done: number, total: number) => env.onStep?.({ step: "push", done, total });
  const onTrees = (done: number, total: number) => env.onStep?.({ step: "trees", done, total });
  const pushed = await push(
    { db, link, now: env.now, random: env.random, onProgress, onTrees, onReadBack: readBackProgress(env) },
    {
      base,
      edgeEpoch,
      heldStatement,
      within: reason === null ? epoch : null,
      coverRows: policy.coverRows,
      isSmall,
      // spec: ROW-16
      listing: !isSmall && reason !== "edge lost" ? epoch : null,
    },
  );
  await checkPushed(env, pushed, base);
  await sweepEpochs(db);
  await stripOldHeads(db);
  return { pushed, reason, inbox };
}

/** Why everything is pushed anew, or null. Before a delta, an epoch that was never read back is (spec: PUSH-10). */
async function reasonFor(
  env: SyncEnvironment,
  standing: Standing,
  epoch: OpenEpoch | null,
  asked: Pick<PushSituation, "entries" | "rotate">,
): Promise<FullReason | null> {
  const { db, policy = DEFAULT_POLICY } = env;
  const situation = {
    epoch: epoch === null ? null : {
      ...{ devicesVersion: epoch.row.devices_version, sealed: epoch.row.sealed, startedMillis: epoch.row.created },
      hasNodes: epoch.row.has_nodes === 1,
      isForDeltas: await readNumber(db, META.deltaEpoch) === epoch.row.epoch,
    },
    ...asked,
    ...{ devicesVersion: await readCounter(db, COUNTERS.devicesVersion) },
    ...{ edgeLost: !standing.isPlaced, nowMillis: env.now() },
  };
  const reason = fullReason(situation, policy);
  if (reason !== null || epoch === null || epoch.row.is_verified === 1) return reason;
  const { head } = await env.link.state();
  if (head === null) return "edge lost";
  try {
    await readBackAll(env.link, head.head, readBackProgress(env));
  } catch (error) {
    if (!isPosternError(error, "tampered") && !isPosternError(error, "withheld")) throw error;
    await raiseAlarm(db, error.code, error.message, env.now());
    return "edge lost";
  }
  try {
    await checkProofs(env, head.head, changedTables(head.head, null));
  } catch (error) {
    if (!isPosternError(error, "tampered") && !isPosternError(error, "withheld")) throw error;
    await raiseAlarm(db, error.code, error.message, env.now());
    return "no proofs";
  }
  await db.execute(verifiedEpoch(epoch.row.epoch, true));
  return null;
}

/**
 * What was pushed must be what the edge shows: a full push was read back before it was committed (spec: PUSH-10). If it is not, everything
 * is read back before anything builds on it.
 */
async function checkPushed(env: SyncEnvironment, { epoch, head, isFull }: Pushed, base: number): Promise<void> {
  const { db, link } = env;
  const unverified = verifiedEpoch(epoch, false);
  if (!isFull) await orNote(db, [unverified], () => readBackChanges(db, link, head, base));
  const before = isFull ? null : await findHead(db, base);
  const changed = changedTables(head, before === null ? null : decodeSignedHead(before.signed).head);
  // An edge that proves wrongly is not mended by reading back: everything is pushed again.
  await orNote(db, [unverified, epochHasNodes(epoch, false)], () => checkProofs(env, head, changed));
  if (isFull) await db.execute(verifiedEpoch(epoch, true));
}

/** Does it; when the edge fails it, that is noted before the error goes on. */
async function orNote(db: Database, notes: readonly Statement<never>[], check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (isPosternError(error, "tampered") || isPosternError(error, "withheld")) await db.batch(notes);
    throw error;
  }
}

function readBackProgress({ onStep }: SyncEnvironment): (done: number, total: number) => void {
  return (done, total) => onStep?.({ step: "read back", done, total });
}

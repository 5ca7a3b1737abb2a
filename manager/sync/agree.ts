/** Agrees with the edge on where it stands, and settles what an earlier turn left open. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Database } from "../../shared/database/database.ts";
import type { EdgeLink, EdgeState } from "../edge/link.ts";
import { takeOverAcknowledgements } from "../inbox/earlier_life.ts";
import { currentStatement } from "../owner/statement.ts";
import { committedGeneration, findHead, fitsCommit, forgetCommitted, newestHead } from "../heads/repository.ts";
import { reconcile } from "../push/plan/reconcile.ts";
import { dropPush, openPush, settlePush } from "../push/records.ts";
import { COUNTERS, next } from "../store/counters.ts";
import type { HeadsTable } from "../store/schema_push.ts";
import { META, readNumber } from "../store/meta.ts";
import { raiseAlarm } from "./alarms.ts";

/** What the next push builds on. */
export interface Standing {
  /** The generation that the edge holds, 0 if none. */
  readonly base: number;
  /** The epoch that the edge holds, 0 if none. */
  readonly edgeEpoch: number;
  /** Number of the newest owner statement that the edge is known to hold, 0 if none. */
  readonly heldStatement: number;
  /** Whether that is what is placed: otherwise only a full push will do. */
  readonly isPlaced: boolean;
}

/**
 * Compares what the edge shows with what it confirmed.
 *
 * @param now Millis
 * @throws `forked` when another manager signs for this owner (spec: PUSH-11)
 */
export async function agree(db: Database, link: EdgeLink, now: number): Promise<Standing> {
  const state = await link.state();
  const { generation: base, head } = state;
  const ours = head === null ? null : await findHead(db, base);
  await settleCommitted(db, state, ours);
  const placed = await committedGeneration(db);
  const { kind } = reconcile(head, ours, await newestHead(db), placed, await currentStatement(db));
  if (kind === "earlier_life") return await replaceEarlierLife(db, link, state, placed, now);
  if (kind === "went_back") {
    const found = base === 0 ? "nothing" : `generation ${base}`;
    const text = `The edge showed ${found} after it had confirmed generation ${placed}; it is filled anew`;
    await raiseAlarm(db, "rolled_back", text, now);
  }
  if (base > 0 && !await fitsCommit(db, base)) return await startOver(db, link, state);
  return {
    ...{ base, edgeEpoch: head?.head.epoch ?? 0, heldStatement: head?.head.statement.number ?? 0 },
    isPlaced: base > 0 && base === placed,
  };
}

/** The commit that was under way when the last turn ended may have taken effect, and only its answer was lost. */
async function settleCommitted(db: Database, { head }: EdgeState, ours: HeadsTable | null): Promise<void> {
  const open = await openPush(db);
  if (open === null || head === null || ours === null || open.generation !== head.head.generation) return;
  if (equalBytes(head.hash, ours.hash)) await settlePush(db, open, open.generation);
}

/**
 * The edge shows the state of an incarnation from before the restore that began the present one. What that had taken from the inbox
 * stays taken; everything else of it is replaced (spec: BACKUP-13, BACKUP-14).
 */
async function replaceEarlierLife(
  db: Database,
  link: EdgeLink,
  state: EdgeState,
  placed: number,
  now: number,
): Promise<Standing> {
  if (placed > 0) {
    const text =
      `The edge showed a state from before the restore after it had confirmed generation ${placed}; it is filled anew`;
    await raiseAlarm(db, "rolled_back", text, now);
  }
  await tellHidden(db, state, now);
  await db.batch(await takeOverAcknowledgements(db, state.head?.head.acks ?? [], now));
  return await startOver(db, link, state);
}

/** What the restore did not know of, because the edge was not asked, or hid it, or the old manager ran on (spec: BACKUP-12). */
async function tellHidden(db: Database, { generation }: EdgeState, now: number): Promise<void> {
  const known = await readNumber(db, META.generationFloor) - LIMITS.restoreGap;
  if (generation <= known) return;
  const text =
    `The edge holds generation ${generation} from before the restore, which knew of ${known}: what came in between is ` +
    "lost, and devices may have come or gone in it. See postern device list";
  await raiseAlarm(db, "restored", text, now);
}

/**
 * More heads were signed since the one that the edge holds than one commit can carry, or that one is of an earlier life: it is emptied, and so takes any first head
 * (spec: PUSH-05). That it holds nothing then is noted first, so that nobody takes it for a loss.
 */
async function startOver(db: Database, link: EdgeLink, { head }: EdgeState): Promise<Standing> {
  await dropPush(db);
  await db.execute(forgetCommitted());
  await link.deleteTables(await next(db, COUNTERS.deletion));
  return { base: 0, edgeEpoch: head?.head.epoch ?? 0, heldStatement: 0, isPlaced: false };
}

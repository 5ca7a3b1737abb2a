/** Reads everything that the edge holds, as a device would, and checks all of it against what was signed. */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Head } from "../../shared/protocol/head.ts";
import { TABLE_NAMES } from "../../shared/protocol/tables.ts";
import type { EdgeLink } from "../edge/link.ts";
import { checkProofs } from "../push/verify/check_proofs.ts";
import { currentEpoch, type OpenEpoch } from "../push/epoch.ts";
import { type OnProgress, rolledBack, standingOf, type VerifiedState, verifyState } from "./verify_state.ts";

/** What is verified, and by whom. */
export interface EdgeToVerify {
  readonly db: Database;
  readonly link: EdgeLink;
  /** Millis. */
  readonly now: number;
  readonly random: RandomBytes;
}

/** What was found in order. */
export interface VerifiedEdge extends VerifiedState {
  /** Tables of which the edge proved a row and that another is not there. */
  readonly provenTables: number;
  /** Since the head was signed; below 0 by a clock that is behind the one of then. */
  readonly ageMillis: number;
}

/**
 * Verifies the edge's whole state: every table whole, and that single answers are proven.
 *
 * @throws `withheld`, `tampered`, `rolled_back`, `forked`, `stale`: what a device would find; `not_found` when nothing was pushed
 */
export async function verifyEdge(
  { db, link, now, random }: EdgeToVerify,
  onProgress: OnProgress = () => {},
): Promise<VerifiedEdge> {
  const { signed, committed, isOlder } = await standingOf(db, (await link.state()).head, "edge");
  if (isOlder) throw rolledBack("edge", signed, committed);
  const { head } = signed;
  const epoch = await requireEpoch(db, head);
  requireFresh(head, now);
  const page = (name: string, after: Parameters<EdgeLink["tablePage"]>[3]) =>
    link.tablePage(name, head.epoch, head.generation, after);
  const state = await verifyState(db, head, epoch, { page }, onProgress);
  await checkProofs({ db, link, random }, head, TABLE_NAMES);
  return { ...state, provenTables: TABLE_NAMES.length, ageMillis: now - head.time };
}

async function requireEpoch(db: Database, head: Head): Promise<OpenEpoch> {
  const epoch = await currentEpoch(db);
  if (epoch !== null && epoch.row.epoch === head.epoch) return epoch;
  throw new PosternError(
    "conflict",
    `The edge is in epoch ${head.epoch}, which is not the current one here: postern sync`,
  );
}

/** spec: HEAD-04 */
function requireFresh(head: Head, now: number): void {
  if (now <= head.nextDue + LIMITS.headGraceMillis) return;
  throw new PosternError(
    "stale",
    `The newest head was due to be followed by ${
      new Date(head.nextDue).toISOString()
    }: the service does not run, or the edge withholds`,
  );
}

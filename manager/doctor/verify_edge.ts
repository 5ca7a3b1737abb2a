/** Reads everything that the edge holds, as a device would, and checks all of it against what was signed. */
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Head } from "../../shared/protocol/head.ts";
import type { EdgeLink } from "../edge/link.ts";
import { currentEpoch, type OpenEpoch } from "../push/epoch.ts";
import { type OnProgress, rolledBack, standingOf, type VerifiedState, verifyState } from "./verify_state.ts";

/**
 * Verifies the edge's whole state.
 *
 * @param now Millis
 * @throws `withheld`, `tampered`, `rolled_back`, `forked`, `stale`: what a device would find; `not_found` when nothing was pushed
 */
export async function verifyEdge(
  db: Database,
  link: EdgeLink,
  now: number,
  onProgress: OnProgress = () => {},
): Promise<VerifiedState> {
  const { signed, committed, isOlder } = await standingOf(db, (await link.state()).head, "edge");
  if (isOlder) throw rolledBack("edge", signed, committed);
  const { head } = signed;
  const epoch = await requireEpoch(db, head);
  requireFresh(head, now);
  const page = (name: string, after: Parameters<EdgeLink["tablePage"]>[3]) =>
    link.tablePage(name, head.epoch, head.generation, after);
  return await verifyState(db, head, epoch, { page }, onProgress);
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

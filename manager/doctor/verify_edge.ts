/** Reads everything that the edge holds, as a device would, and checks all of it against what was signed. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { TableVerifier, verifyTable } from "../../shared/client/verify_table.ts";
import { type ContentCounts, ContentsVerifier } from "../../shared/client/verify_contents.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type Head, openHeadSecrets, type SignedHead } from "../../shared/protocol/head.ts";
import { TABLE_NAMES } from "../../shared/protocol/tables.ts";
import type { EdgeLink } from "../edge/link.ts";
import { activeDevices } from "../devices/repository.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { currentEpoch, type OpenEpoch } from "../push/epoch.ts";
import { currentStatement } from "../owner/statement.ts";
import { reconcile } from "../push/reconcile.ts";

/** What was verified. */
export interface VerifiedEdge {
  readonly head: Head;
  readonly counts: ContentCounts;
  /** Stored rows of all tables. */
  readonly rows: number;
}

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
  onProgress: (done: number, total: number) => void = () => {},
): Promise<VerifiedEdge> {
  const signed = await requireNewest(db, (await link.state()).head);
  const { head } = signed;
  const epoch = await requireEpoch(db, head);
  requireFresh(head, now);
  const contents = new ContentsVerifier();
  const total = TABLE_NAMES.reduce((sum, name) => sum + head.tables[name].count, 0);
  let rows = 0;
  for (const name of TABLE_NAMES) {
    await verifyTable(
      new TableVerifier(epoch.keys, name, head.tables[name]),
      (after) => link.tablePage(name, head.epoch, head.generation, after),
      (opened) => {
        contents.add(opened);
        rows += opened.length;
        onProgress(rows, total);
      },
    );
  }
  const { contentRoot } = await openHeadSecrets(epoch.keys, head);
  const counts = contents.finish(contentRoot);
  await requireDevices(db, counts.devices, epoch);
  return { head, counts, rows };
}

/** The head that the edge shows is the newest that it confirmed, and this manager's own. */
async function requireNewest(db: Database, shown: SignedHead | null): Promise<SignedHead> {
  const newest = await newestHead(db);
  if (newest === null && shown === null) {
    throw new PosternError("not_found", "Nothing was pushed yet, so there is nothing to verify: postern sync");
  }
  const ours = shown === null ? null : await findHead(db, shown.head.generation);
  const committed = newest === null ? 0 : newest.committed === 1 ? newest.generation : newest.generation - 1;
  const agreed = reconcile(shown, ours, newest, committed, await currentStatement(db));
  if (agreed.kind === "earlier_life") {
    throw new PosternError("conflict", "The edge holds what was there before the restore: postern sync replaces it");
  }
  if (shown !== null && agreed.kind === "known") return shown;
  const found = shown === null ? "nothing" : `generation ${shown.head.generation}`;
  throw new PosternError("rolled_back", `The edge shows ${found}, after it had confirmed generation ${committed}`);
}

/** The epoch of the head, whose sym key it must commit to (spec: KEY-03). */
async function requireEpoch(db: Database, head: Head): Promise<OpenEpoch> {
  const epoch = await currentEpoch(db);
  if (epoch === null || epoch.row.epoch !== head.epoch) {
    throw new PosternError(
      "conflict",
      `The edge is in epoch ${head.epoch}, which is not the current one here: postern sync`,
    );
  }
  if (equalBytes(epoch.keys.commitment, head.commitment)) return epoch;
  throw new PosternError("tampered", "The head does not commit to the sym key of its epoch");
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

/** Each active device has its row; one that was added or revoked since has not been pushed yet. */
async function requireDevices(db: Database, found: number, epoch: OpenEpoch): Promise<void> {
  if (found === epoch.wraps.size) return;
  const active = (await activeDevices(db)).length;
  throw new PosternError(
    "tampered",
    `The edge holds ${found} devices, and epoch ${epoch.row.epoch} was wrapped for ${epoch.wraps.size} (${active} are active now)`,
  );
}

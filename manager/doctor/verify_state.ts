/** A whole state of an edge, from wherever it is read, checked as a device would and against what this manager signed. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { TableRow } from "../../shared/client/verify/open_content.ts";
import { type ContentCounts, ContentsVerifier } from "../../shared/client/verify/verify_contents.ts";
import { type TablePage, TableVerifier, verifyTable } from "../../shared/client/verify/verify_table.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { type Head, openHeadSecrets, type SignedHead } from "../../shared/protocol/head.ts";
import { TABLE_NAMES, type TableName } from "../../shared/protocol/tables.ts";
import { activeDevices } from "../devices/repository.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { currentStatement } from "../owner/statement.ts";
import type { OpenEpoch } from "../push/epoch.ts";
import { reconcile } from "../push/plan/reconcile.ts";

/** What was verified. */
export interface VerifiedState {
  readonly head: Head;
  readonly counts: ContentCounts;
  /** Stored rows of all tables. */
  readonly rows: number;
}

/** How far a verification is: rows of how many. */
export type OnProgress = (done: number, total: number) => void;

/** Where the state is read from. */
export interface StateSource {
  /** The rows of a table after a row key, in key order. */
  page(table: TableName, after: Bytes | null): Promise<TablePage>;
  /** Sees the rows of a page once they are opened. */
  take?(table: TableName, rows: readonly TableRow[]): Promise<void>;
}

/** How a head that is shown stands to those that this manager signed. */
export interface Standing {
  readonly signed: SignedHead;
  /** The newest generation that the edge confirmed. */
  readonly committed: number;
  readonly isOlder: boolean;
}

/**
 * Finds where a head stands among this manager's own.
 *
 * @param where what shows it, for messages: "edge"
 * @throws `not_found` when nothing was pushed yet; `forked` for a head of another manager; `rolled_back` when nothing is shown after
 * something was confirmed; `conflict` for one from before a restore
 */
export async function standingOf(db: Database, shown: SignedHead | null, where: string): Promise<Standing> {
  const newest = await newestHead(db);
  if (newest === null && shown === null) {
    throw new PosternError("not_found", "Nothing was pushed yet, so there is nothing to verify: postern sync");
  }
  const ours = shown === null ? null : await findHead(db, shown.head.generation);
  const committed = newest === null ? 0 : newest.committed === 1 ? newest.generation : newest.generation - 1;
  const agreed = reconcile(shown, ours, newest, committed, await currentStatement(db));
  if (agreed.kind === "earlier_life") {
    throw new PosternError(
      "conflict",
      `The ${where} holds what was there before the restore: postern sync replaces it`,
    );
  }
  if (shown === null) throw rolledBack(where, null, committed);
  return { signed: shown, committed, isOlder: agreed.kind === "went_back" };
}

/** The error for a head that is older than the newest confirmed. */
export function rolledBack(where: string, shown: SignedHead | null, committed: number): PosternError {
  const found = shown === null ? "nothing" : `generation ${shown.head.generation}`;
  return new PosternError(
    "rolled_back",
    `The ${where} shows ${found}, after the edge had confirmed generation ${committed}`,
  );
}

/**
 * Verifies every row, every table and the content of a state.
 *
 * @param head compared by {@link standingOf}
 * @param epoch the head's
 * @throws `withheld`, `tampered`: what a device would find
 */
export async function verifyState(
  db: Database,
  head: Head,
  epoch: OpenEpoch,
  source: StateSource,
  onProgress: OnProgress,
): Promise<VerifiedState> {
  // spec: KEY-03
  if (!equalBytes(epoch.keys.commitment, head.commitment)) {
    throw new PosternError("tampered", "The head does not commit to the sym key of its epoch");
  }
  const contents = new ContentsVerifier();
  const total = TABLE_NAMES.reduce((sum, name) => sum + head.tables[name].count, 0);
  let rows = 0;
  for (const name of TABLE_NAMES) {
    await verifyTable(
      new TableVerifier(epoch.keys, name, head.tables[name]),
      (after) => source.page(name, after),
      async (opened) => {
        await source.take?.(name, opened);
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

/** Each active device has its row; one that was added or revoked since has not been pushed yet. */
async function requireDevices(db: Database, found: number, epoch: OpenEpoch): Promise<void> {
  if (found === epoch.wraps.size) return;
  const active = (await activeDevices(db)).length;
  throw new PosternError(
    "tampered",
    `The edge holds ${found} devices, and epoch ${epoch.row.epoch} was wrapped for ${epoch.wraps.size} (${active} are active now)`,
  );
}

/** Verifies a copy of an edge's database whole, without asking anybody (shared/spec/storage.md). */
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { type Freshness, freshness } from "../../shared/protocol/judge_head.ts";
import { currentStatement } from "../owner/statement.ts";
import { type OpenEpoch, readEpoch } from "../push/epoch.ts";
import { DumpBlocks } from "./dump/blocks.ts";
import { verifyHistory } from "./dump/history.ts";
import type { Dump } from "./dump/open_dump.ts";
import { readOwner } from "./dump/owner_line.ts";
import { DumpRows } from "./dump/rows.ts";
import { type OnProgress, rolledBack, standingOf, type VerifiedState, verifyState } from "./verify_state.ts";

/** What was verified, and where it stands. */
export interface VerifiedDump extends VerifiedState {
  /** Number of the owner statement. */
  readonly statement: number;
  readonly blocks: number;
  readonly historyNodes: number;
  /** Devices whose login key is the one that the manager registered. */
  readonly logins: number;
  /** Since the head was signed, by this machine's clock, Millis. */
  readonly ageMillis: number;
  readonly freshness: Freshness;
  /** The newest generation that the edge confirmed to this manager. */
  readonly newestConfirmed: number;
}

/**
 * Verifies everything in a dump that the manager ever signed.
 *
 * @param db the manager's
 * @param isOld the owner says that the copy is from before the newest push
 * @throws `malformed`, `tampered`, `withheld`, `forked`; `rolled_back` for one older than the newest confirmed; `epoch_gone` when it is so
 * old that its key is gone; `not_found` when nothing was pushed
 */
// spec: STORE-04, STORE-05
export async function verifyDump(
  db: Database,
  dump: Dump,
  now: number,
  { isOld = false, onProgress = () => {} }: { readonly isOld?: boolean; readonly onProgress?: OnProgress } = {},
): Promise<VerifiedDump> {
  const { owner } = await currentStatement(db);
  const line = await readOwner(db, dump, owner);
  const { signed, committed, isOlder } = await standingOf(db, line?.signed ?? null, "dump");
  if (line === null || (isOlder && !isOld)) throw rolledBack("dump", line?.signed ?? null, committed);
  const { head } = signed;
  const historyNodes = await verifyHistory(dump, line.no, head);
  const state = { owner: line.no, space: line.space, generation: head.generation };
  const rows = new DumpRows(dump, state);
  const blocks = new DumpBlocks(dump, state);
  const verified = await verifyState(db, head, await epochOf(db, head.epoch), {
    page: (name, after) => rows.page(name, after),
    take: (name, opened) => blocks.take(name, opened),
  }, onProgress);
  return {
    ...verified,
    statement: line.statement.number,
    blocks: await blocks.finish(),
    historyNodes,
    logins: await rows.requireLogins(),
    ageMillis: now - head.time,
    freshness: freshness(head, now),
    newestConfirmed: committed,
  };
}

async function epochOf(db: Database, epoch: number): Promise<OpenEpoch> {
  try {
    return await readEpoch(db, epoch);
  } catch (error) {
    if (!isPosternError(error, "not_found")) throw error;
    throw new PosternError(
      "epoch_gone",
      `The dump is of epoch ${epoch}, whose key this manager has forgotten: nothing in it can be opened any more`,
    );
  }
}

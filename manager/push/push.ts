/** One push, from what the edge shall hold to a committed generation (shared/spec/pushing.md). */
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database } from "../../shared/database/database.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../shared/errors.ts";
import { decodeSignedHead, type Head } from "../../shared/protocol/head.ts";
import type { EdgeLink } from "../edge/link.ts";
import { completeHistory } from "../heads/history.ts";
import { findHead, newestHead } from "../heads/repository.ts";
import { COUNTERS, readCounter } from "../store/counters.ts";
import { META, setNumber } from "../store/meta.ts";
import type { PushesTable } from "../store/schema_push.ts";
import { allEntries, type Changes, readChanges } from "./plan/changes.ts";
import { stagedTableBlocks } from "./trees/blocks.ts";
import { listChanges } from "./plan/change_list.ts";
import { commit } from "./commit.ts";
import { stageTrees } from "./trees/delta_trees.ts";
import { coverDelta, stockCovers } from "./plan/cover.ts";
import { isWrappedForAll, type OpenEpoch, readEpoch, startEpoch } from "./epoch.ts";
import { clearPadding, padStore, PLAIN_SIZES, type RowSizes, rowSizes } from "./plan/pad_store.ts";
import { placeTrees } from "./trees/full_trees.ts";
import { addHistory, NodeBodies } from "./send/nodes.ts";
import { placeStaged } from "./trees/placed.ts";
import { planChunks, type PlannedChunk } from "./plan/plan.ts";
import { readBackPushed } from "./verify/read_back.ts";
import { dropPush, openPush, recordPush } from "./records.ts";
import { rootsOf, type StateRoots } from "./trees/roots.ts";
import { upload } from "./send/upload.ts";
import { requireWhole } from "./plan/whole.ts";

/** What a push needs from outside. */
export interface PushEnvironment {
  readonly db: Database;
  readonly link: EdgeLink;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Called after each chunk: how many of how many rows are there. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called as the trees of a full push are made and sent: how many of how many rows are in them. */
  readonly onTrees?: (done: number, total: number) => void;
  /** Called as a full push is read back: how many of how many rows are compared. */
  readonly onReadBack?: (done: number, total: number) => void;
}

/** What is to be pushed, on what. */
export interface PushRequest {
  /** The generation that the edge holds, 0 if none. */
  readonly base: number;
  /** The epoch that the edge holds, 0 if none. */
  readonly edgeEpoch: number;
  /** Number of the newest owner statement that the edge holds, 0 if none. */
  readonly heldStatement: number;
  /** The epoch in which only what changed is sent; null to re-encrypt everything under a new one. */
  readonly within: OpenEpoch | null;
  /** Deltas are filled up to steps of at least so many rows, and full pushes are padded (spec: PUSH-19); 0 for no cover. */
  readonly coverRows: number;
  /** Whether everything will be re-encrypted at the next interval as well: no delta is to follow. */
  readonly isSmall: boolean;
  /** The epoch that the edge holds, if what changes since shall be listed for devices (spec: ROW-16); null for no lists. */
  readonly listing: OpenEpoch | null;
}

/** What was committed. */
export interface Pushed {
  readonly generation: number;
  readonly epoch: number;
  readonly isFull: boolean;
  /** The head as signed and committed. */
  readonly head: Head;
  /** Rows sent, removals not counted. */
  readonly rows: number;
  /** Rows taken away, those that others replaced not counted. */
  readonly removed: number;
}

/** A push as it is about to be sent, for the first time or again. */
interface Work {
  readonly push: PushesTable;
  readonly epoch: OpenEpoch;
  readonly chunks: readonly PlannedChunk[];
  readonly changes: Changes;
  readonly sizes: RowSizes;
}

/** How often a small store is padded anew because something came meanwhile. */
const PADDINGS = 3;

/** Answers after which the same push will not succeed: it is given up, and the next one starts anew. */
const FINAL: readonly ErrorCode[] = [
  ...["conflict", "not_found", "malformed", "too_large", "unsupported", "forbidden", "epoch_gone"] as const,
];

/**
 * Pushes: goes on with the push that was cut off, with the same bytes, if it would still send the same, or else begins a new one.
 *
 * @throws what the edge answers; `conflict` when devices or the owner statement changed meanwhile. Either way the next call succeeds or
 * starts anew
 */
export async function push(env: PushEnvironment, request: PushRequest): Promise<Pushed> {
  await completeHistory(env.db);
  const resumed = await resumable(env.db, request);
  if (resumed !== null) {
    try {
      return await run(env, request, resumed);
    } catch (error) {
      // The edge has forgotten it, or holds something else than it did.
      if (!isPosternError(error, "conflict") && !isPosternError(error, "not_found")) throw error;
    }
  }
  return await run(env, request, await begin(env, request));
}

/** The push that was cut off, if nothing changed since: what it sends is then the same to the byte. */
async function resumable(db: Database, { base, edgeEpoch, within }: PushRequest): Promise<Work | null> {
  const open = await openPush(db);
  if (open === null || open.base !== base || open.is_full !== (within === null ? 1 : 0)) return null;
  if (open.entries_version !== await readCounter(db, COUNTERS.entriesVersion)) return null;
  if (within === null ? open.epoch <= edgeEpoch : open.epoch !== within.row.epoch) return null;
  const epoch = within ?? await readEpoch(db, open.epoch);
  if (!await isWrappedForAll(db, epoch)) return null;
  const work = await plan(db, open, epoch);
  return work.chunks.length === open.chunks ? work : null;
}

async function begin({ db, now, random }: PushEnvironment, request: PushRequest): Promise<Work> {
  await dropPush(db);
  const { base, within, isSmall } = request;
  if (within === null) await requireWhole(db);
  let epoch = within;
  for (let attempt = 1;; attempt++) {
    await cover(db, request, random);
    // Before anything else is read: what changes from here on belongs to the next push, whether this one has it or not.
    const entriesVersion = await listChanges(db, { base, isFull: within === null, epoch: request.listing });
    epoch ??= await startEpoch(db, request.edgeEpoch, now(), random);
    if (within === null && !isSmall) await db.execute(setNumber(META.deltaEpoch, epoch.row.epoch));
    const draft: PushesTable = {
      ...{ id: random(16), base, epoch: epoch.row.epoch, is_full: within === null ? 1 : 0, chunks: 0 },
      ...{ secret: random(32), entries_version: entriesVersion, staged: 0, generation: null, created: now() },
      newest: (await newestHead(db))?.generation ?? 0,
    };
    const work = await plan(db, draft, epoch);
    // What came since the padding was counted stands beside it, or even in its place: the edge would refuse that.
    const isPadded = !isSmall || attempt === PADDINGS ||
      await readCounter(db, COUNTERS.entriesVersion) === entriesVersion;
    if (!isPadded) continue;
    const push = { ...draft, chunks: work.chunks.length };
    await db.batch(recordPush(push, work.changes.entries.length));
    return { ...work, push };
  }
}

async function cover(db: Database, request: PushRequest, random: RandomBytes): Promise<void> {
  const { within, isSmall, coverRows } = request;
  if (within === null && isSmall && coverRows > 0) return await padStore(db, coverRows, random);
  // Before a delta, too: a push of a small store that was not the last may have left it.
  await clearPadding(db);
  if (within !== null) await coverDelta(db, within.row.epoch, coverRows, random);
  else await stockCovers(db, isSmall ? 0 : coverRows, random);
}

async function plan(db: Database, push: PushesTable, epoch: OpenEpoch): Promise<Work> {
  const isFull = push.is_full === 1;
  const changes = isFull ? await allEntries(db) : await readChanges(db, epoch);
  const sizes = isFull ? await rowSizes(db) : PLAIN_SIZES;
  const chunks = planChunks(changes.entries, changes.removals, push.secret, sizes.most);
  return { push, epoch, changes, sizes, chunks };
}

async function run(env: PushEnvironment, request: PushRequest, work: Work): Promise<Pushed> {
  const { db, link, onProgress } = env;
  const { push, epoch, chunks, changes, sizes } = work;
  try {
    const rows = await upload(db, link, { push, epoch, chunks, sizes, onProgress });
    const { roots, nodes } = await sendNodes(env, work);
    if (push.is_full === 1) await readBack(env, push, roots);
    const { heldStatement } = request;
    const head = await commit(db, link, { push, epoch, roots, heldStatement, nodes }, env.now(), env.random);
    const { generation } = head;
    const removed = changes.removals.length - changes.replaced;
    return { generation, epoch: push.epoch, isFull: push.is_full === 1, head, rows, removed };
  } catch (error) {
    if (isPosternError(error) && FINAL.includes(error.code)) await dropPush(db);
    throw error;
  }
}

/** What the edge has lost or changed of a full push, nobody is led to: the push is given up, and its epoch (spec: PUSH-10). */
async function readBack(
  { db, link, onReadBack }: PushEnvironment,
  { id }: PushesTable,
  roots: StateRoots,
): Promise<void> {
  try {
    await readBackPushed(link, id, roots.tables, onReadBack);
  } catch (error) {
    if (isPosternError(error, "tampered") || isPosternError(error, "withheld")) await dropPush(db);
    throw error;
  }
}

/** Makes the trees and sends their nodes; returns what to sign, and in how many bodies they came. */
async function sendNodes(env: PushEnvironment, work: Work): Promise<{ roots: StateRoots; nodes: number }> {
  const { db, link } = env;
  const { push, epoch } = work;
  const bodies = new NodeBodies(link, push.id);
  try {
    const roots = push.is_full === 1 ? await fullRoots(env, work, bodies) : await deltaRoots(db, work, bodies);
    await addHistory(db, bodies, push, epoch);
    return { roots, nodes: await bodies.finish() };
  } finally {
    await bodies.settled();
  }
}

async function fullRoots({ db, onTrees }: PushEnvironment, work: Work, bodies: NodeBodies): Promise<StateRoots> {
  const { push, changes } = work;
  await placeStaged(db, push.epoch, changes.entries.length);
  return await placeTrees(db, push.epoch, {
    blocks: (tbl, blocks) => bodies.addBlocks(blocks.map((block) => ({ tbl, ...block }))),
    progress: (leaves) => onTrees?.(leaves, changes.entries.length),
  });
}

async function deltaRoots(db: Database, { push, epoch, chunks }: Work, bodies: NodeBodies): Promise<StateRoots> {
  const held = await findHead(db, push.base);
  if (held === null) throw new PosternError("storage", `The head of generation ${push.base} is missing`);
  const base = await rootsOf(decodeSignedHead(held.signed).head, epoch);
  if (chunks.length === 0) return base;
  const roots = await stageTrees(db, push.epoch, base);
  for await (const page of stagedTableBlocks(db)) await bodies.addBlocks(page);
  return roots;
}

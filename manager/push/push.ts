/** One push, from what the edge shall hold to a committed generation (shared/spec/pushing.md). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { decodeSignedHead, type Head } from "../../shared/protocol/head.ts";
import type { RowKey } from "../../shared/protocol/token.ts";
import type { TableNumber } from "../../shared/protocol/tables.ts";
import type { EdgeLink, OpenPush } from "../edge/link.ts";
import { headsAfter } from "../heads/repository.ts";
import { findStatement } from "../owner/statement.ts";
import { COUNTERS, readCounter } from "../store/counters.ts";
import type { PlacedTable, PushesTable, StagedTable } from "../store/schema.ts";
import { allEntries, changedEntries, goneRows, placedUnder, readEntries } from "./changes.ts";
import { type OpenEpoch, readEpoch, startEpoch } from "./epoch.ts";
import { prepareHead } from "./head.ts";
import { placeRow, stageRow } from "./placed.ts";
import { planChunks, type PlannedChunk } from "./plan.ts";
import { countSealed, openPush, recordPush, recordSigned, settlePush } from "./records.ts";
import { stateRoots } from "./roots.ts";
import { type SealedRow, sealEntries } from "./seal_rows.ts";

/** What a push needs from outside. */
export interface PushEnvironment {
  readonly db: Database;
  readonly link: EdgeLink;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Called after each chunk: how many of how many rows are there. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was committed. */
export interface Pushed {
  readonly generation: number;
  readonly epoch: number;
  readonly isFull: boolean;
  /** The head as signed and committed. */
  readonly head: Head;
  /** What a delta changed; empty for a full push. */
  readonly staged: readonly StagedTable[];
  /** Rows sent, removals not counted. */
  readonly rows: number;
  readonly removed: number;
}

/** Rows of a chunk that WebCrypto seals at once: measured, more gains nothing and costs memory. */
const SEAL_BATCH = 128;

/** Re-encrypts everything under a new sym key, beside what the edge holds, and switches (spec: PUSH-01, PUSH-10). */
export async function pushFull(env: PushEnvironment, base: number, edgeEpoch: number): Promise<Pushed> {
  const { db, random } = env;
  const entriesVersion = await readCounter(db, COUNTERS.entriesVersion);
  const resumed = await resumable(env, base, entriesVersion);
  const epoch = resumed === null
    ? await startEpoch(db, edgeEpoch, env.now(), random)
    : await readEpoch(db, resumed.epoch);
  const secret = resumed?.secret ?? random(32);
  const entries = await allEntries(db);
  const chunks = planChunks(entries, [], secret);
  const push: PushesTable = resumed ?? {
    ...{ id: random(16), base, epoch: epoch.row.epoch, is_full: 1, chunks: chunks.length, secret },
    ...{ entries_version: entriesVersion, state: "uploading", created: env.now() },
  };
  if (resumed === null) await db.batch([recordPush(push), countSealed(push.epoch, entries.length)]);
  const rows = await upload(env, push, epoch, chunks, entries.length, (sealed) => sealed.map(placeOnce));
  return { ...await commit(env, push, epoch, []), rows, removed: 0 };
}

/** Sends only what changed, within the epoch; an empty delta is how a head is renewed. */
export async function pushDelta(env: PushEnvironment, base: number, epoch: OpenEpoch): Promise<Pushed> {
  const { db, random } = env;
  const number = epoch.row.epoch;
  const entriesVersion = await readCounter(db, COUNTERS.entriesVersion);
  const entries = await changedEntries(db, number);
  const gone = await goneRows(db, number);
  const secret = random(32);
  const replaced = new Map<number, RowKey>();
  for (const { id } of entries) {
    const [entry] = await readEntries(db, [id]);
    const before = entry === undefined ? null : await placedUnder(db, number, entry.content_key);
    if (before !== null) replaced.set(id, keyOf(before));
  }
  const chunks = planChunks(entries, [...gone.map(keyOf), ...replaced.values()], secret);
  const push: PushesTable = {
    ...{ id: random(16), base, epoch: number, is_full: 0, chunks: chunks.length, secret },
    ...{ entries_version: entriesVersion, state: "uploading", created: env.now() },
  };
  await db.batch([recordPush(push), countSealed(number, entries.length)]);
  const staged: StagedTable[] = gone.map((row) => ({ ...withoutEpoch(row), content_hash: null, row_hash: null }));
  if (staged.length > 0) await db.batch(staged.map(stageRow));
  const rows = await upload(env, push, epoch, chunks, entries.length, (sealed) => {
    const changes = sealed.map(({ placed }) => withoutEpoch(placed));
    staged.push(...changes);
    return changes.map(stageRow);
  });
  return { ...await commit(env, push, epoch, staged), rows, removed: gone.length };
}

/** A push that was interrupted, if the very same bytes can be made again. */
async function resumable(env: PushEnvironment, base: number, entriesVersion: number): Promise<PushesTable | null> {
  const open = await openPush(env.db);
  const isSame = open !== null && open.is_full === 1 && open.state === "uploading" && open.base === base &&
    open.entries_version === entriesVersion;
  return isSame ? open : null;
}

/** Seals and sends chunk by chunk; the next is sealed while one is under way. */
async function upload(
  env: PushEnvironment,
  push: PushesTable,
  epoch: OpenEpoch,
  chunks: readonly PlannedChunk[],
  total: number,
  remember: (rows: readonly SealedRow[]) => readonly Statement<unknown>[],
): Promise<number> {
  const { db, link } = env;
  const { incarnation } = epoch.row;
  const received = await link.begin({
    ...{ id: push.id, base: push.base, epoch: push.epoch, incarnation, full: push.is_full === 1, chunks: push.chunks },
  });
  let done = 0;
  let underWay: Promise<void> = Promise.resolve();
  for (const [n, { entries, remove }] of chunks.entries()) {
    const sealed = await sealChunk(db, entries, epoch, push.secret);
    await underWay;
    const kept = remember(sealed);
    if (kept.length > 0) await db.batch(kept);
    const bytes = sealed.map((row) => row.bytes);
    underWay = has(received, n) ? Promise.resolve() : link.chunk(push.id, n, bytes, remove);
    // A failure is thrown at the next await; until then nobody else looks at it.
    underWay.catch(() => {});
    done += sealed.length;
    env.onProgress?.(done, total);
  }
  await underWay;
  return done;
}

async function sealChunk(db: Database, ids: readonly number[], epoch: OpenEpoch, secret: Bytes): Promise<SealedRow[]> {
  const entries = new Map((await readEntries(db, ids)).map((entry) => [entry.id, entry]));
  // The order of the plan, not that of the database, which is the order of arrival (spec: PUSH-10).
  const ordered = ids.flatMap((id) => entries.get(id) ?? []);
  const sealed: SealedRow[] = [];
  for (let at = 0; at < ordered.length; at += SEAL_BATCH) {
    sealed.push(...await sealEntries(ordered.slice(at, at + SEAL_BATCH), epoch, secret));
  }
  return sealed;
}

/** Signs the head, stores it, commits, and settles what is placed. */
async function commit(
  env: PushEnvironment,
  push: PushesTable,
  epoch: OpenEpoch,
  staged: readonly StagedTable[],
): Promise<Omit<Pushed, "rows" | "removed">> {
  const { db, link, random } = env;
  const roots = await stateRoots(db, push.epoch, staged);
  const head = await prepareHead(db, epoch, roots, env.now(), random);
  await db.batch([...head.statements, recordSigned(push.id)]);
  const heads = (await headsAfter(db, push.base, LIMITS.maxCommitHeads)).map(({ signed }) => signed);
  const { generation } = head.decoded.head;
  await link.commit(push.id, heads, await statementsOf(db, heads));
  await settlePush(db, push, generation);
  return { generation, epoch: push.epoch, isFull: push.is_full === 1, head: head.decoded.head, staged };
}

/** The statements that heads name, each once, oldest first. */
async function statementsOf(db: Database, heads: readonly Bytes[]): Promise<Bytes[]> {
  const numbers = [...new Set(heads.map((signed) => decodeSignedHead(signed).head.statement.number))].sort((a, b) =>
    a - b
  );
  const found = await Promise.all(numbers.map((number) => findStatement(db, number)));
  return found.map((statement) => {
    if (statement === null) throw new PosternError("storage", "A head names an owner statement that is missing");
    return statement.signed;
  });
}

function has(ranges: OpenPush["received"], n: number): boolean {
  return ranges.some(([first, last]) => first <= n && n <= last);
}

function keyOf({ tbl, token, number }: Pick<PlacedTable, "tbl" | "token" | "number">): RowKey {
  return { table: tbl as TableNumber, token, number };
}

function withoutEpoch({ epoch: _, ...rest }: PlacedTable): StagedTable {
  return rest;
}

/** A resumed push places rows again that it placed before the crash. */
function placeOnce({ placed }: SealedRow): Statement<unknown> {
  return placeRow(placed);
}

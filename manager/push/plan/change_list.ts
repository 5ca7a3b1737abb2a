/** The list of what a push changes, for devices to follow from one state to another, whatever the epoch (spec: ROW-15, ROW-16). */
import { sql } from "kysely";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { decodeSignedHead, openHeadSecrets } from "../../../shared/protocol/head.ts";
import { type Change, encodeChanges } from "../../../shared/protocol/records.ts";
import { LISTS } from "../../../shared/protocol/token.ts";
import { findHead, nextGeneration } from "../../heads/repository.ts";
import { addChangeList, changeLists, removeChangeList } from "../../store/change_lists.ts";
import { coverTable } from "../../store/covers.ts";
import { COUNTERS, readCounter } from "../../store/counters.ts";
import { listOf } from "../../store/entries.ts";
import { META, setNumber } from "../../store/meta.ts";
import { tables } from "../../store/tables.ts";
import type { OpenEpoch } from "../epoch.ts";

/** What a list is of. */
export interface ListRequest {
  /** The generation that the push builds on. */
  readonly base: number;
  /** Whether everything is re-encrypted: cover rows are not listed then. */
  readonly isFull: boolean;
  /** The epoch of the base, whose lists go on; null when there shall be none. */
  readonly epoch: OpenEpoch | null;
}

/** More names than these fit into no list: each takes 40 bytes and more. */
const MOST_CHANGES = Math.floor(LIMITS.maxChangeListBytes / 40);
/** How often a list is made anew because something changed meanwhile. */
const ATTEMPTS = 3;

const changedEntries = query((p: { covers: number; limit: number }) =>
  tables.selectFrom("changed").leftJoin("entries", "entries.content_key", "changed.content_key")
    .select(["changed.kind as kind", "changed.name as name", "changed.name_is_text as name_is_text"])
    .select(["changed.number as number", "entries.content_hash as content"])
    .where("changed.kind", "<>", LISTS.generations.kind)
    .where((e) => e.or([e(e.val(p.covers), "=", 1), e("changed.kind", "not like", sql.lit("cover %"))]))
    // Those among the rows of lists come and go with whole epochs only.
    .where("changed.kind", "not like", sql.lit("cover __%"))
    .orderBy("changed.content_key").limit(p.limit)
);

/** What is to be done, and how many entries come and go by it. */
interface Plan {
  readonly statements: readonly Statement<never>[];
  readonly entries: number;
}

/**
 * Puts the list of what the next push changes among the entries, and removes those that are too many; or, where none can or shall be,
 * all. What {@link META.listed} says afterwards is for the push's head.
 *
 * @returns the version of the entries that the list is of: what is not newer is in it
 */
export async function listChanges(db: Database, request: ListRequest): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = await readCounter(db, COUNTERS.entriesVersion);
    const { statements, entries } = await plan(db, request);
    await db.batch(statements);
    // Every entry that comes or goes raises the version by one, those of other processes too.
    if (await readCounter(db, COUNTERS.entriesVersion) === version + entries) return version + entries;
  }
  await db.batch((await none(db)).statements);
  return await readCounter(db, COUNTERS.entriesVersion);
}

async function plan(db: Database, request: ListRequest): Promise<Plan> {
  const listed = await listedBefore(db, request);
  if (listed === null) return await none(db);
  const changes = await readChanges(db, request.isFull);
  if (changes.length > MOST_CHANGES) return await none(db);
  try {
    return await goOn(db, request.base, listed, changes);
  } catch (error) {
    if (!isPosternError(error, "too_large")) throw error;
    return await none(db);
  }
}

/** From which generation on the lists go on that lead to the base; null when they do not. */
async function listedBefore(db: Database, { base, epoch }: ListRequest): Promise<number | null> {
  if (epoch === null) return null;
  const head = await findHead(db, base);
  if (head === null || head.signed.length === 0) return null;
  return (await openHeadSecrets(epoch.keys, decodeSignedHead(head.signed).head)).listed ?? base;
}

async function readChanges(db: Database, isFull: boolean): Promise<Change[]> {
  const { rows } = await db.execute(changedEntries.bind({ covers: isFull ? 0 : 1, limit: MOST_CHANGES + 1 }));
  return rows.map(({ content, number, ...entry }) => {
    const table = coverTable(entry.kind);
    return { list: table === null ? listOf(entry) : { kind: "cover", table, name: entry.name }, number, content };
  });
}

/** Adds a list unless there is nothing in it; removes what no edge ever held, and the oldest. */
async function goOn(db: Database, base: number, before: number, changes: readonly Change[]): Promise<Plan> {
  const lists = await changeLists(db);
  const removed = lists.filter(({ generation }) => generation > base).map(({ generation }) => generation);
  const statements: Statement<never>[] = [];
  let listed = before;
  if (changes.length > 0) {
    const generation = await nextGeneration(db);
    const plaintext = encodeChanges({ generation, changes });
    let [count, bytes] = [1, plaintext.length];
    for (const { generation: older, size } of lists) {
      if (older > base) continue;
      if (++count <= LIMITS.maxChangeLists && (bytes += size) <= LIMITS.maxChangeListsBytes) continue;
      removed.push(older);
      listed = Math.max(listed, older);
    }
    statements.push(...addChangeList(generation, plaintext));
  }
  return {
    statements: [...removed.flatMap(removeChangeList), ...statements, setNumber(META.listed, listed)],
    entries: removed.length + Math.min(statements.length, 1),
  };
}

// spec: ROW-16
async function none(db: Database): Promise<Plan> {
  const lists = await changeLists(db);
  return {
    statements: [...lists.flatMap(({ generation }) => removeChangeList(generation)), setNumber(META.listed, 0)],
    entries: lists.length,
  };
}

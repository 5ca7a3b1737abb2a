/**
 * Tables of the edge's database (shared/spec/storage.md). `migrations.ts` makes them, and a test compares the two.
 *
 * Every table has the owner first in its key, and every statement names one owner (spec: STORE-02). Rows have
 * versions: one is visible at generation g if born <= g < died. Readers read at the owner's committed generation, so
 * that what a push writes ahead of its commit is visible to nobody (spec: PUSH-04).
 */
import type { Generated } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";

/**
 * `died` of a row that is alive, `until` of the current generation, `gone` of a submission that is not acknowledged.
 */
export const ALIVE: number = Number.MAX_SAFE_INTEGER;

/**
 * The blocks of table t are rows of table t + 10, with their path as token (shared/spec/tree.md): so they live and die with the rows
 * that they stand for.
 */
export const BLOCKS = 10;

/** All of them, as SQL has it. */
export const ROW_TABLES = "IN (1, 2, 3, 4)";
export const ROW_AND_BLOCK_TABLES = "IN (1, 2, 3, 4, 11, 12, 13, 14)";

/** States of a space, the rows of one epoch. */
export const SPACE = { building: 0, current: 1, left: 2 } as const;

/** States of a push. Over: discarded or aborted. */
export const PUSH = { open: 0, committed: 1, over: 2 } as const;

/** An owner and its present state; all of it null or 0 as long as nothing has been committed. */
export interface OwnersTable {
  no: Generated<number>;
  /** Owner id, 32 bytes. */
  id: Bytes;
  /** The statement adopted with the last commit. */
  statement_number: Generated<number>;
  /** The space that readers see; null if there is none. */
  space: number | null;
  generation: Generated<number>;
  epoch: Generated<number>;
  /** The highest number of a `DELETE tables` (spec: PUSH-09). */
  delete_number: Generated<number>;
  /** Number of heads in the history of the present head's incarnation that it covers (spec: TREE-06). */
  history: Generated<number>;
  incarnation: Bytes | null;
  head_hash: Bytes | null;
  statement_hash: Bytes | null;
  /** Signed head. Large values come last: SQLite reads a row from its beginning, and only as far as it must. */
  head: Bytes | null;
  /** Signed statement. */
  statement: Bytes | null;
}

/** The rows of one epoch of an owner. A full push fills one beside the current one. */
export interface SpacesTable {
  no: Generated<number>;
  owner: number;
  /** Id of the push that made it. */
  push: Bytes;
  state: number;
  /** Rows alive at the last committed generation, table by table. */
  devices: Generated<number>;
  certificates: Generated<number>;
  messages: Generated<number>;
  changes: Generated<number>;
  /** Of all rows that stand in it, seen by readers or not. Chunks count it up, and a trigger down. */
  bytes: Generated<number>;
}

/** Committed generations that are served, at times and after their end until the grace is over (spec: READ-02). */
export interface GenerationsTable {
  owner: number;
  generation: number;
  space: number;
  epoch: number;
  /** Served before this time, Millis; {@link ALIVE} for the current one. */
  until: number;
}

export interface RowsTable {
  id: Generated<number>;
  owner: number;
  space: number;
  /** Table number of the protocol; {@link BLOCKS} more for a block. */
  tbl: number;
  token: Bytes;
  number: number;
  /** Generation with which it came; 0 in the full push that made the space. */
  born: number;
  /** Generation with which it went. */
  died: number;
  size: number;
  /** The stored row of shared/spec/rows.md, or a block. */
  body: Bytes;
}

/** What logins need of the rows of table 1. Follows the life of its row by triggers. */
export interface DevicesTable {
  owner: number;
  space: number;
  /** Device id. */
  device: Bytes;
  born: number;
  died: number;
  registration: number;
  /** `rows.id` */
  row: number;
  /** SubjectPublicKeyInfo. */
  public_key: Bytes;
}

export interface PushesTable {
  owner: number;
  id: Bytes;
  state: number;
  base: number;
  epoch: number;
  incarnation: Bytes;
  /** 0 or 1. */
  is_full: number;
  chunks: number;
  /** Where its rows are. */
  space: number;
  /** `born` of the rows it adds and `died` of those it removes. */
  stamp: number;
  /** Chunks that arrived. */
  received: Generated<number>;
  /** Bodies of nodes that arrived. */
  nodes: Generated<number>;
  /** Rows added and removals asked for, table by table. */
  added_devices: Generated<number>;
  added_certificates: Generated<number>;
  added_messages: Generated<number>;
  added_changes: Generated<number>;
  removed_devices: Generated<number>;
  removed_certificates: Generated<number>;
  removed_messages: Generated<number>;
  removed_changes: Generated<number>;
  /** Last time a request was about it, Millis. */
  touched: number;
  /** 1 when nothing of it is left in a space that is read: from the beginning for a full push. */
  is_undone: number;
}

export interface PushChunksTable {
  owner: number;
  push: Bytes;
  n: number;
  /** SHA-256 of the body. */
  digest: Bytes;
}

/** Bodies of nodes that arrived, by number. */
export interface PushNodesTable extends PushChunksTable {}

/** Nodes of the history trees of an owner's incarnations (spec: PUSH-14). */
export interface HistoryTable {
  id: Generated<number>;
  owner: number;
  incarnation: Bytes;
  /** 0 for a leaf. */
  level: number;
  idx: number;
  hash: Bytes;
}

/** Challenges that a login has used (spec: SESS-04); all three columns are the key. */
export interface SpentChallengesTable {
  owner: number;
  /** Of the record; it follows from the challenge, and so is the same whenever that is spent again. */
  expires: number;
  random: Bytes;
}

/** Sessions that were ended before their time (spec: SESS-14). */
export interface EndedSessionsTable {
  owner: number;
  session: Bytes;
  expires: number;
}

/** Submissions, without their bodies, so that counting and marking them is cheap. */
export interface InboxTable {
  owner: number;
  /** Order of arrival among the owner's, from 1, never used twice. */
  arrival: number;
  device: Bytes;
  stream: Bytes;
  number: number;
  /** SHA-256 of the signed submission. */
  digest: Bytes;
  size: number;
  /** When a head acknowledged it, Millis; it is not shown from then on. */
  gone: number;
}

export interface InboxBodiesTable {
  owner: number;
  arrival: number;
  /** Signed submission. */
  body: Bytes;
}

/** Encrypted parts that devices uploaded, each device by itself. */
export interface InboxPartsTable {
  owner: number;
  device: Bytes;
  /** SHA-256 of the part. */
  hash: Bytes;
  size: number;
  created: number;
  /** Submissions that name it. */
  refs: Generated<number>;
}

export interface InboxPartBodiesTable {
  owner: number;
  device: Bytes;
  hash: Bytes;
  body: Bytes;
}

/** Which submission names which part. */
export interface InboxNamedTable {
  owner: number;
  arrival: number;
  hash: Bytes;
  device: Bytes;
}

/** What a device takes up of the inbox; kept by triggers. */
export interface InboxUsageTable {
  owner: number;
  device: Bytes;
  submissions: number;
  /** Of parts. */
  bytes: number;
}

/** The last number of arrival given out. */
export interface InboxArrivalsTable {
  owner: number;
  last: number;
}

/** A view that holds nothing: what is inserted with a reason fails with it. See `checks.ts`. */
export interface ChecksView {
  reason: string | null;
}

export interface EdgeSchema {
  owners: OwnersTable;
  spaces: SpacesTable;
  generations: GenerationsTable;
  rows: RowsTable;
  devices: DevicesTable;
  pushes: PushesTable;
  push_chunks: PushChunksTable;
  push_nodes: PushNodesTable;
  history: HistoryTable;
  spent_challenges: SpentChallengesTable;
  ended_sessions: EndedSessionsTable;
  inbox: InboxTable;
  inbox_bodies: InboxBodiesTable;
  inbox_parts: InboxPartsTable;
  inbox_part_bodies: InboxPartBodiesTable;
  inbox_named: InboxNamedTable;
  inbox_usage: InboxUsageTable;
  inbox_arrivals: InboxArrivalsTable;
  checks: ChecksView;
}

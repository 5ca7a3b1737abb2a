/** Tables of the pushes: what the edge holds, epochs, heads, and the push under way. They are part of schema.ts. */
import type { Generated } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";

/** Which entries are change lists (change_lists.ts). */
export interface ChangeListsTable {
  generation: number;
  /** Bytes of the plaintext. */
  size: number;
}

/**
 * Entries that came, changed or went since they were last placed, by the name of their row. Triggers of `entries` keep it, so that
 * a delta costs what changed and not what there is. What is not in it is placed as it is.
 */
export interface ChangedTable {
  content_key: Bytes;
  /** `entries-version` at the change; a push forgets what is not newer than what it began with. */
  version: number;
  kind: string;
  name: Bytes;
  name_is_text: number;
  number: number;
}

/** What the edge holds of the current epoch, or will hold of the one being built: the leaves of the content tree. */
export interface PlacedTable {
  epoch: number;
  content_key: Bytes;
  content_hash: Bytes;
}

/** The same rows as leaves of the trees of their tables. */
export interface LeavesTable {
  epoch: number;
  tbl: number;
  token: Bytes;
  number: number;
  row_hash: Bytes;
}

/**
 * What the push under way sends, in the order in which it is sent: written in order, ten times cheaper than into its place at once
 * (measured), and put there when everything is sent. It stays after a delta until that has been read back.
 */
export interface StagedTable {
  chunk: number;
  place: number;
  content_key: Bytes;
  /** Null for a row that goes; a row that is replaced goes and comes. */
  content_hash: Bytes | null;
  tbl: number;
  token: Bytes;
  number: number;
  row_hash: Bytes | null;
}

/** The blocks of the trees over what is placed (spec: TREE-07), and of the content tree, which nobody is sent. */
export interface BlocksTable {
  id: Generated<number>;
  epoch: number;
  /** 0 for the content tree. */
  tbl: number;
  path: string;
  block: Bytes;
}

/** What the delta under way does to them; null for a block that goes. */
export interface StagedBlocksTable {
  tbl: number;
  path: string;
  block: Bytes | null;
}

/** The sym key of an epoch as wrapped for each device: made once, so that a resumed push sends the same bytes. */
export interface WrapsTable {
  epoch: number;
  device: Bytes;
  encapsulated: Bytes;
  wrapped: Bytes;
}

/** Epochs; the sym key of the current one and of the one being built. */
export interface EpochsTable {
  epoch: number;
  incarnation: Bytes;
  sym_key: Bytes;
  /** `building`, `current`, `past`; `dropped` when its push was given up. */
  state: string;
  /** Version of the device list that it is wrapped for. */
  devices_version: number;
  /** 1 once everything has been read back as it was pushed: only then the epochs before are forgotten (spec: PUSH-10). */
  is_verified: number;
  /** 1 once it is pushed with the nodes of its trees (spec: PUSH-13): without them an edge proves nothing. */
  has_nodes: number;
  /** The sym key wrapped to the recovery key. */
  recovery_encapsulated: Bytes;
  recovery_ciphertext: Bytes;
  /** Devices whose suite is not quantum-safe. */
  classical: number;
  /** Rows sealed so far (spec: KEY-04). */
  sealed: number;
  created: number;
}

/** Every head ever signed, stored before it is sent (spec: HEAD-05). */
export interface HeadsTable {
  generation: number;
  hash: Bytes;
  /** Number of the owner statement that it names. */
  statement: number;
  time: number;
  /** 1 once the edge has confirmed its commit. */
  committed: number;
  /** Empty for old ones: their hash is enough to recognise them. */
  signed: Bytes;
}

/** Nodes of the history tree of this incarnation (spec: TREE-06). */
export interface HistoryTable {
  /** 0 is the leaves. */
  level: number;
  idx: number;
  hash: Bytes;
  /** Of the head that completed it. */
  generation: number;
}

/** The push under way, if any. */
export interface PushesTable {
  id: Bytes;
  base: number;
  epoch: number;
  is_full: number;
  chunks: number;
  /** 32 random bytes from which its order and nonces follow, so that it can be resumed with the same bytes. */
  secret: Bytes;
  /** The newest generation signed before it began: which bodies hold which nodes of the history follows from it. */
  newest: number;
  /** `entries-version` at its beginning; another one now means that it cannot be resumed. */
  entries_version: number;
  /** Chunks whose rows are staged, from the first on. */
  staged: number;
  /** Of its newest head, from the moment when that is signed: the edge may hold it from then on. */
  generation: number | null;
  created: number;
}

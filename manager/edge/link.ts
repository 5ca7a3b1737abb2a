/** What the manager needs of its session with an edge. The session itself is the one that devices have too. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { HistoryNode } from "../../shared/merkle/history.ts";
import type { ProofNode } from "../../shared/merkle/proof_node.ts";
import type { SignedHead } from "../../shared/protocol/head.ts";
import type { RowKey } from "../../shared/protocol/token.ts";

/** What the edge holds of the owner, as it says. */
export interface EdgeState {
  /** 0 when it holds nothing. */
  readonly generation: number;
  readonly head: SignedHead | null;
}

/** A head as the edge shows it, not verified, and how it builds on an earlier one; null when the edge does not show that. */
export interface HeadSince {
  readonly head: Bytes | null;
  readonly history: readonly Bytes[] | null;
}

/** The push that is open at the edge. */
export interface OpenPush {
  readonly id: Bytes;
  readonly base: number;
  readonly epoch: number;
  readonly chunks: number;
  /** Inclusive ranges of chunk numbers that are there. */
  readonly received: readonly (readonly [number, number])[];
}

/** What begins a push (shared/spec/pushing.md). */
export interface PushBegin {
  readonly id: Bytes;
  readonly base: number;
  readonly epoch: number;
  readonly incarnation: Bytes;
  readonly full: boolean;
  readonly chunks: number;
}

/** A block of a table's tree; null for one that is no more. */
export interface PushedBlock {
  readonly tbl: number;
  readonly path: string;
  readonly block: Bytes | null;
}

/** A page of stored rows. */
export interface RowPage {
  readonly rows: readonly Bytes[];
  readonly next: Bytes | null;
}

/** Rows of a list with their proof, as a device gets them. */
export interface ListPage {
  readonly generation: number;
  readonly epoch: number;
  readonly rows: readonly Bytes[];
  readonly more: boolean;
  readonly proof: readonly ProofNode[] | null;
}

/** A page of what leads from one generation to another. */
export interface ChangePage extends RowPage {
  readonly removed: readonly { readonly token: Bytes; readonly number: number }[];
}

/** The manager's requests to an edge; every answer is verified as far as the session goes, and not believed further. */
export interface EdgeLink {
  /** Number of the owner statement that the manager logged in with: the edge takes no head under another. */
  readonly statement: number;
  /** What the edge held at the login. */
  state(): Promise<EdgeState>;
  /** The edge's head now, and the path to an earlier one in its history (spec: READ-07). */
  headSince(seen: number): Promise<HeadSince>;
  openPush(): Promise<OpenPush | null>;
  begin(push: PushBegin): Promise<OpenPush["received"]>;
  chunk(id: Bytes, n: number, rows: readonly Bytes[], remove: readonly RowKey[]): Promise<void>;
  /** Brings one body of blocks and of nodes of the history (spec: PUSH-13). */
  nodes(id: Bytes, n: number, blocks: readonly PushedBlock[], history: readonly HistoryNode[]): Promise<void>;
  /** A page of what an open full push has brought to a table, in key order (spec: PUSH-21). Its rows share their memory. */
  pushedPage(id: Bytes, table: string, after: Bytes | null): Promise<RowPage>;
  /** @param nodes how many bodies of nodes there were */
  commit(id: Bytes, heads: readonly Bytes[], statements: readonly Bytes[], nodes: number): Promise<number>;
  abort(id: Bytes): Promise<void>;
  deleteTables(number: number): Promise<void>;
  /** The first row of a list from a number on, with its proof or that there is none. */
  listPage(table: string, epoch: number, token: Bytes, from: number): Promise<ListPage>;
  /** A page of a whole table in key order, as of a generation. Its rows share their memory. */
  tablePage(table: string, epoch: number, at: number, after: Bytes | null): Promise<RowPage>;
  /** A page of the changes of a table from one generation to another, in key order. */
  changesPage(table: string, epoch: number, since: number, at: number, after: Bytes | null): Promise<ChangePage>;
  /** Submissions in order of arrival after a sequence number. */
  inboxPage(
    after: number,
  ): Promise<{ readonly entries: readonly (readonly [number, Bytes])[]; readonly next: number | null }>;
  inboxPart(hash: Bytes): Promise<Bytes>;
}

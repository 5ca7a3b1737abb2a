/** Everything that the edge does with its database, by name. Parsed requests come in, decoded values go out. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { migrate } from "../../shared/database/migrations.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { SignedSubmission } from "../../shared/protocol/submission.ts";
import { EDGE_MIGRATIONS } from "./migrations.ts";
import { deleteTables } from "./delete_tables.ts";
import { getPart, type InboxAnswer, listInbox } from "./inbox/read.ts";
import { putPart, submit } from "./inbox/submit.ts";
import type { ChunkBody } from "./push/chunk_checks.ts";
import type { Principal } from "./principal.ts";
import { beginPush } from "./push/begin.ts";
import type { CommitBody } from "./push/checks.ts";
import { takeChunk } from "./push/chunk.ts";
import { commitPush } from "./push/commit.ts";
import type { NodesBody } from "./push/node_checks.ts";
import { takeNodes } from "./push/nodes.ts";
import { abortPush, type ChunkRange, type PushBody, type PushState, readPush } from "./push/state.ts";
import { type ChangesAnswer, type ChangesRequest, readChanges } from "./read/changes.ts";
import {
  type HeadAnswer,
  type LoginData,
  type ManagerLoginData,
  readHead,
  readLoginData,
  readManagerLoginData,
  readRecord,
  readStatement,
  type RecordAnswer,
  type WithHistory,
} from "./read/head.ts";
import { BlockCache } from "./read/block_cache.ts";
import { type ProvenAnswer, readProven } from "./read/proven.ts";
import { readRows, type RowsAnswer, type RowsRequest } from "./read/rows.ts";
import { type PushedAnswer, type PushedRequest, readPushed } from "./read/pushed.ts";
import { readTable, type TableAnswer, type TableRequest } from "./read/table.ts";
import { endSession, recordManager, spendChallenge } from "./sessions.ts";
import { storageOf } from "./store_errors.ts";
import { Sweeper, type Swept } from "./sweep/sweep.ts";

/** What an owner may take up. */
export interface Quotas {
  /** Bytes of stored rows and blocks; null for no limit (spec: PUSH-12). */
  readonly ownerBytes: number | null;
}

const STANDARD: Quotas = { ownerBytes: LIMITS.defaultOwnerBytes };

/**
 * The edge's store. Whatever takes a principal first finds out, in the same statement, whether its session still
 * counts, and throws `unauthorized` otherwise. A database that is locked, full or away is `storage`. Times are
 * Millis.
 */
export class EdgeStore {
  readonly #database: Database;
  readonly #quotas: Quotas;
  readonly #sweeper: Sweeper;
  readonly #blocks = new BlockCache();

  private constructor(database: Database, quotas: Quotas) {
    this.#quotas = quotas;
    this.#database = storageOf(database);
    this.#sweeper = new Sweeper(this.#database);
  }

  /** Brings the tables to the version of this program. @throws `storage` for a database of a newer one */
  static async open(database: Database, quotas: Quotas = STANDARD): Promise<EdgeStore> {
    const store = new EdgeStore(database, quotas);
    await migrate(store.#database, EDGE_MIGRATIONS);
    return store;
  }

  /** What a device's login needs, `seen` being the generation of a head that it has verified; null if owner or device are unknown. */
  loginData(owner: Bytes, device: Bytes, seen?: number): Promise<LoginData | null> {
    return readLoginData(this.#database, owner, device, seen);
  }

  /** What a manager's login needs. */
  managerLoginData(owner: Bytes, seen?: number): Promise<ManagerLoginData> {
    return readManagerLoginData(this.#database, owner, seen);
  }

  /** Takes note that a challenge was used; false if it had been. See {@link spendChallenge}. */
  spendChallenge(owner: Bytes, random: Bytes, expires: number): Promise<boolean> {
    return spendChallenge(this.#database, owner, random, expires);
  }

  /** The same for the login of a verified manager, which makes the owner known. See {@link recordManager}. */
  recordManager(owner: Bytes, random: Bytes, expires: number): Promise<boolean> {
    return recordManager(this.#database, owner, random, expires);
  }

  /** Ends the session until it would have expired. */
  endSession(principal: Principal, expires: number): Promise<void> {
    return endSession(this.#database, principal, expires);
  }

  /** The signed statement in force, for everybody; null if there is none. */
  publicStatement(owner: Bytes): Promise<Bytes | null> {
    return readStatement(this.#database, owner);
  }

  head(principal: Principal, seen?: number): Promise<HeadAnswer & WithHistory> {
    return readHead(this.#database, principal, seen);
  }

  record(principal: Principal, seen?: number): Promise<RecordAnswer & WithHistory> {
    return readRecord(this.#database, principal, seen);
  }

  /** Rows of a list. @throws `epoch_gone` */
  rows(principal: Principal, request: RowsRequest, now: number): Promise<RowsAnswer> {
    return readRows(this.#database, principal, request, now);
  }

  /** Rows of a list with their proof. @throws `epoch_gone` */
  proven(principal: Principal, request: RowsRequest, now: number): Promise<ProvenAnswer> {
    return readProven(this.#database, this.#blocks, principal, request, now);
  }

  /** A page of a table as of a generation. @throws `epoch_gone`, `conflict`, `malformed` */
  table(principal: Principal, request: TableRequest, now: number): Promise<TableAnswer> {
    return readTable(this.#database, principal, request, now);
  }

  /** A page of what changed between two generations. @throws `epoch_gone`, `conflict`, `malformed` */
  changes(principal: Principal, request: ChangesRequest, now: number): Promise<ChangesAnswer> {
    return readChanges(this.#database, principal, request, now);
  }

  /** Begins or resumes a push; what has arrived of it already. @throws `forbidden`, `conflict` (spec: PUSH-01) */
  async begin(principal: Principal, body: PushBody, now: number): Promise<ChunkRange[]> {
    requireManager(principal);
    return await beginPush(this.#database, principal, body, now);
  }

  /** The open push; null if there is none. @throws `forbidden` */
  async state(principal: Principal, now: number): Promise<PushState | null> {
    requireManager(principal);
    return await readPush(this.#database, principal, now);
  }

  /** Takes chunk `n`; `digest` is the SHA-256 of its body as sent. @throws `forbidden` and as {@link takeChunk} (spec: PUSH-02) */
  async chunk(
    principal: Principal,
    id: Bytes,
    n: number,
    digest: Bytes,
    body: ChunkBody,
    now: number,
  ): Promise<void> {
    requireManager(principal);
    await takeChunk(this.#database, principal, id, n, digest, body, now, this.#quotas.ownerBytes);
  }

  /** Takes body `n` of nodes; `digest` is the SHA-256 of it as sent. @throws `forbidden` and as {@link takeNodes} (spec: PUSH-13) */
  async nodes(principal: Principal, id: Bytes, n: number, digest: Bytes, body: NodesBody, now: number): Promise<void> {
    requireManager(principal);
    await takeNodes(this.#database, principal, id, n, digest, body, now, this.#quotas.ownerBytes);
  }

  /** A page of what an open full push brought. @throws `forbidden` and as {@link readPushed} (spec: PUSH-21) */
  async pushed(principal: Principal, request: PushedRequest, now: number): Promise<PushedAnswer> {
    requireManager(principal);
    return await readPushed(this.#database, principal, request, now);
  }

  /**
   * Switches to what was pushed; the generation then held. @throws `forbidden` and as {@link commitPush}
   * (spec: PUSH-05)
   */
  async commit(principal: Principal, id: Bytes, body: CommitBody, now: number): Promise<number> {
    requireManager(principal);
    return await commitPush(this.#database, principal, id, body, now);
  }

  /** Gives a push up. @throws `forbidden`, `not_found`, `conflict` */
  async abort(principal: Principal, id: Bytes, now: number): Promise<void> {
    requireManager(principal);
    await abortPush(this.#database, principal, id, now);
  }

  /** Deletes everything that was pushed. @throws `forbidden`, `conflict` (spec: PUSH-09) */
  async deleteTables(principal: Principal, number: number, now: number): Promise<void> {
    requireManager(principal);
    await deleteTables(this.#database, principal, number, now);
  }

  /** Takes a submission. @throws as {@link submit} (spec: INBOX-05) */
  submit(principal: Principal, signed: Bytes, decoded: SignedSubmission): Promise<void> {
    return submit(this.#database, principal, signed, decoded);
  }

  /** Submissions after a number of arrival, 0 at the start. */
  list(principal: Principal, after: number, limit: number): Promise<InboxAnswer> {
    return listInbox(this.#database, principal, after, limit);
  }

  /** Stores an encrypted part under its SHA-256. @throws as {@link putPart} (spec: INBOX-04) */
  putPart(principal: Principal, hash: Bytes, part: Bytes, now: number): Promise<void> {
    return putPart(this.#database, principal, hash, part, now);
  }

  /** @throws `not_found` */
  getPart(principal: Principal, hash: Bytes): Promise<Bytes> {
    return getPart(this.#database, principal, hash);
  }

  /** One bounded step of deleting what is past its time; call it again while there is `more` (spec: STORE-03). */
  sweep(now: number): Promise<Swept> {
    return this.#sweeper.step(now);
  }
}

function requireManager({ manager }: Principal): void {
  if (!manager) throw new PosternError("forbidden", "Only the manager may push or delete");
}

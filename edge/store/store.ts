/** Everything that the edge does with its database, by name. Parsed requests come in, decoded values go out. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { migrate } from "../../shared/database/migrations.ts";
import { EDGE_MIGRATIONS } from "./migrations.ts";
import type { Principal } from "./principal.ts";
import { type ChangesAnswer, type ChangesRequest, readChanges } from "./read_changes.ts";
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
} from "./read_head.ts";
import { readRows, type RowsAnswer, type RowsRequest } from "./read_rows.ts";
import { readTable, type TableAnswer, type TableRequest } from "./read_table.ts";
import { endSession, recordManager, spendChallenge } from "./sessions.ts";
import { storageOf } from "./store_errors.ts";

/**
 * The edge's store. Whatever takes a principal first finds out, in the same statement, whether its session still counts, and throws
 * `unauthorized` otherwise. A database that is locked, full or away is `storage`. Times are Millis.
 */
export class EdgeStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = storageOf(database);
  }

  /** Brings the tables to the version of this program. @throws `storage` for a database of a newer one */
  static async open(database: Database): Promise<EdgeStore> {
    const store = new EdgeStore(database);
    await migrate(store.#database, EDGE_MIGRATIONS);
    return store;
  }

  /** What a device's login needs; null if owner or device are unknown. */
  loginData(owner: Bytes, device: Bytes): Promise<LoginData | null> {
    return readLoginData(this.#database, owner, device);
  }

  /** What a manager's login needs. */
  managerLoginData(owner: Bytes): Promise<ManagerLoginData> {
    return readManagerLoginData(this.#database, owner);
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

  head(principal: Principal): Promise<HeadAnswer> {
    return readHead(this.#database, principal);
  }

  record(principal: Principal): Promise<RecordAnswer> {
    return readRecord(this.#database, principal);
  }

  /** Rows of a list. @throws `epoch_gone` */
  rows(principal: Principal, request: RowsRequest, now: number): Promise<RowsAnswer> {
    return readRows(this.#database, principal, request, now);
  }

  /** A page of a table as of a generation. @throws `epoch_gone`, `conflict`, `malformed` */
  table(principal: Principal, request: TableRequest, now: number): Promise<TableAnswer> {
    return readTable(this.#database, principal, request, now);
  }

  /** A page of what changed between two generations. @throws `epoch_gone`, `conflict`, `malformed` */
  changes(principal: Principal, request: ChangesRequest, now: number): Promise<ChangesAnswer> {
    return readChanges(this.#database, principal, request, now);
  }
}

/** Whole tables: every row, their number and their root, against a head (spec: TREE-04). No I/O: devices and managers hand pages in. */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import { createSortedRoot } from "../../merkle/sorted_root.ts";
import { treeKey } from "../../merkle/tree_hash.ts";
import type { EpochKeys } from "../../protocol/epoch_keys.ts";
import type { TableState } from "../../protocol/head.ts";
import { type TableName, TABLES } from "../../protocol/tables.ts";
import { openOfTable, type TableRow } from "./open_content.ts";

/** Takes the pages of one table, in key order, and knows at the end whether it was the table of the head. */
export class TableVerifier {
  readonly table: TableName;
  readonly #keys: EpochKeys;
  readonly #expected: TableState;
  readonly #root = createSortedRoot();
  #count = 0;
  #last: Bytes | null = null;

  /**
   * @param keys of the head's epoch
   * @param expected what the head says of the table
   */
  constructor(keys: EpochKeys, table: TableName, expected: TableState) {
    this.#keys = keys;
    this.table = table;
    this.#expected = expected;
  }

  /** Row key of the last row taken, from which the next page goes on; null at the start. */
  get after(): Bytes | null {
    return this.#last;
  }

  /**
   * Takes the next rows and opens them. Each is the manager's and belongs where it stands; whether the table is whole only
   * {@link finish} says.
   *
   * @throws `tampered` for a row that is not the manager's, belongs elsewhere, comes out of order, or is one too many
   */
  async add(rows: readonly Bytes[]): Promise<TableRow[]> {
    this.#count += rows.length;
    if (this.#count > this.#expected.count) {
      throw new PosternError(
        "tampered",
        `The table ${this.table} has more rows than the ${this.#expected.count} signed`,
      );
    }
    const opened = await Promise.all(rows.map((bytes) => openOfTable(this.#keys, TABLES[this.table], bytes)));
    for (const { token, number, hash } of opened) this.#addLeaf(treeKey(token, number), hash);
    return opened;
  }

  #addLeaf(key: Bytes, rowHash: Bytes): void {
    try {
      this.#root.add({ key, rowHash });
    } catch (cause) {
      if (!isPosternError(cause, "malformed")) throw cause;
      throw new PosternError("tampered", `The rows of the table ${this.table} are out of order`, { cause });
    }
    this.#last = key;
  }

  /**
   * Whether there is more to fetch behind the page just taken. The edge names the last place of its page, which is that of the
   * page's last row: going on from anywhere else would pass over rows, and a row out of its place would be taken for missing ones.
   *
   * @param rows of the page
   * @param next as the edge says
   * @throws `withheld` when there is said to be more, and nothing came; `tampered` when another place is named
   */
  // spec: READ-08
  goesOn(rows: number, next: Bytes | null): boolean {
    if (next === null) return false;
    if (rows === 0 || this.#last === null) {
      throw new PosternError("withheld", `The edge says that the table ${this.table} goes on, and shows nothing of it`);
    }
    if (!equalBytes(next, this.#last)) {
      throw new PosternError("tampered", `A row of the table ${this.table} does not stand where the edge shows it`);
    }
    return true;
  }

  /** @throws `withheld` when rows are missing, `tampered` when it is another table */
  finish(): void {
    const { count, root } = this.#expected;
    if (this.#count < count) {
      throw new PosternError(
        "withheld",
        `The edge shows ${this.#count} of the ${count} rows of the table ${this.table}`,
      );
    }
    if (!equalBytes(this.#root.finish().root, root)) {
      throw new PosternError("tampered", `The rows of the table ${this.table} are not those that the manager signed`);
    }
  }
}

/** A page of a table as an edge answers it. */
export interface TablePage {
  readonly rows: readonly Bytes[];
  readonly next: Bytes | null;
}

/**
 * Fetches a whole table and verifies it; for callers that ask within one epoch.
 *
 * @param fetchPage asks for the rows after a row key
 * @param take is handed each page of rows once they are opened, before the table as a whole is known to be good
 * @throws `tampered`, `withheld`, and what `fetchPage` throws
 */
export async function verifyTable(
  verifier: TableVerifier,
  fetchPage: (after: Bytes | null) => Promise<TablePage>,
  take: (rows: readonly TableRow[]) => void | Promise<void> = () => {},
): Promise<void> {
  for (let more = true; more;) {
    const { rows, next } = await fetchPage(verifier.after);
    await take(await verifier.add(rows));
    more = verifier.goesOn(rows.length, next);
  }
  verifier.finish();
}

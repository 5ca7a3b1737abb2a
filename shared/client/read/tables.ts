/** Whole tables at one generation, down to the last row (spec: TREE-04). */
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { TABLE_NAMES, type TableName } from "../../protocol/tables.ts";
import { tableCall } from "../session/calls.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import type { Lists } from "./lists.ts";
import type { TableRow } from "../verify/open_content.ts";
import { type ContentCounts, ContentsVerifier } from "../verify/verify_contents.ts";
import { TableVerifier } from "../verify/verify_table.ts";
import type { AsOf, View } from "../verify/view.ts";

/** A table that is exactly the one that the manager signed. */
export interface VerifiedTable {
  readonly table: TableName;
  /** In key order, cover rows included. */
  readonly rows: readonly TableRow[];
  readonly asOf: AsOf;
}

/** Everything that the owner has at the edge, verified at one generation. */
export interface VerifyReport {
  readonly asOf: AsOf;
  /** Rows, as the edge holds them. */
  readonly rows: Readonly<Record<TableName, number>>;
  /** What they are, each certificate counted once. */
  readonly contents: ContentCounts;
}

/** The most that an answer may hold (spec: READ-01). */
const PAGE_ROWS = 1_000;

/** Who takes the rows of one snapshot; another one is made when the snapshot has to start again. */
type Take = (table: TableName, rows: readonly TableRow[]) => void;

/** One attempt at reading tables as they were at one head. */
interface Snapshot {
  readonly view: View;
  readonly take: Take;
  readonly waiting: TableName[];
  verifier: TableVerifier;
}

export class Tables {
  readonly #link: DeviceLink;
  readonly #reader: Lists;

  constructor(link: DeviceLink, reader: Lists) {
    this.#link = link;
    this.#reader = reader;
  }

  /** Fetches a table, verifies it whole, and hands out its rows. @throws `tampered`, `withheld` */
  async fetch(table: TableName, options: CallOptions = {}): Promise<VerifiedTable> {
    let rows: TableRow[] = [];
    const view = await this.#read([table], () => {
      rows = [];
      return (_, page) => void rows.push(...page);
    }, options);
    return { table, rows, asOf: this.#reader.present(view) };
  }

  /** Like {@link fetch}, but keeps nothing: the number of rows. @throws `tampered`, `withheld` */
  async verify(table: TableName, options: CallOptions = {}): Promise<{ readonly rows: number; readonly asOf: AsOf }> {
    const view = await this.#read([table], () => () => {}, options);
    return { rows: view.head.head.tables[table].count, asOf: this.#reader.present(view) };
  }

  /**
   * Verifies every table at one generation, and that they belong together: contents, parts of messages, lists of certificates.
   *
   * @throws `tampered`, `withheld`
   */
  async verifyAll(options: CallOptions = {}): Promise<VerifyReport> {
    let contents = new ContentsVerifier();
    const view = await this.#read(TABLE_NAMES, () => {
      contents = new ContentsVerifier();
      const current = contents;
      return (_, rows) => current.add(rows);
    }, options);
    const { head } = view.head;
    const { devices, certificates, messages, changes } = head.tables;
    const counts = contents.finish(view.contentRoot);
    return {
      asOf: this.#reader.present(view),
      rows: {
        ...{ devices: devices.count, certificates: certificates.count },
        ...{ messages: messages.count, changes: changes.count },
      },
      contents: counts,
    };
  }

  /** Reads tables at the generation of one head; again from the start, a few times, when its epoch passes or the edge let it go. */
  async #read(tables: readonly TableName[], start: () => Take, options: CallOptions): Promise<View> {
    const { owner } = this.#link.verifier.profile;
    let snapshot: Snapshot | null = null;
    for (let starts = 0;;) {
      const { answer } = await this.#link.readAt((view, isGone) => {
        if (snapshot === null || isGone || snapshot.view.keys.epoch !== view.keys.epoch) {
          if (++starts > LIMITS.maxRefreshes) {
            throw new PosternError("withheld", "The state changes faster than the edge lets it be read");
          }
          snapshot = begin(view, tables, start());
        }
        const { verifier } = snapshot;
        return tableCall(owner, verifier.table, snapshot.view.head.head, verifier.after, PAGE_ROWS);
      }, options);
      if (snapshot !== null && await addPage(snapshot, answer)) return (snapshot as Snapshot).view;
    }
  }
}

function begin(view: View, tables: readonly TableName[], take: Take): Snapshot {
  const [first, ...waiting] = tables;
  if (first === undefined) throw new PosternError("usage", "No table is named");
  return { view, take, waiting, verifier: verifierOf(view, first) };
}

function verifierOf({ keys, head }: View, table: TableName): TableVerifier {
  return new TableVerifier(keys, table, head.head.tables[table]);
}

/** Takes a page of the table that a snapshot is at; true after the last page of the last table. */
async function addPage(
  snapshot: Snapshot,
  { rows, next }: { readonly rows: Parameters<TableVerifier["add"]>[0]; readonly next: TableVerifier["after"] },
): Promise<boolean> {
  const { verifier } = snapshot;
  snapshot.take(verifier.table, await verifier.add(rows));
  if (verifier.goesOn(rows.length, next)) return false;
  verifier.finish();
  const following = snapshot.waiting.shift();
  if (following === undefined) return true;
  snapshot.verifier = verifierOf(snapshot.view, following);
  return false;
}

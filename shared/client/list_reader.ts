/** Reads ranges of lists: asks by token, checks every row and that none is missing, knows of which state it is (shared/spec/reading.md). */
import type { Bytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { decodeRow, rowHash } from "../protocol/row.ts";
import type { RowContent } from "../protocol/contents.ts";
import { type ListName, rowKey } from "../protocol/token.ts";
import { type Range, rowsCall } from "./calls.ts";
import type { DeviceLink } from "./device_link.ts";
import type { CallOptions } from "./http.ts";
import { openAsked, orTampered } from "./open_content.ts";
import { type HashedRow, verifyList } from "./verify_list.ts";
import { type AsOf, asOf, requireFreshView, type View } from "./view.ts";

/** Rows asked for at once where the caller has no wish; the edge's own limit in bytes comes on top (spec: READ-01). */
const PAGE_ROWS = 100;

/** What to do with what is read under a head that is overdue, or ahead of the clock (spec: HEAD-04). */
export type StaleReads = "mark" | "refuse";

/** A row of a list whose every check passed. */
export interface ListRow {
  readonly number: number;
  readonly content: RowContent;
}

export interface ListPage {
  /** In the order asked for: ascending, or with `before` descending. */
  readonly rows: readonly ListRow[];
  /** Whether there may be more in this direction; without it, the last row is proven to be the last (spec: READ-09). */
  readonly more: boolean;
  readonly asOf: AsOf;
}

export class ListReader {
  readonly #link: DeviceLink;
  readonly #staleReads: StaleReads;

  constructor(link: DeviceLink, staleReads: StaleReads) {
    this.#link = link;
    this.#staleReads = staleReads;
  }

  /**
   * One page of a list: all rows of the range up to the last one shown, by the head that it is `asOf`.
   *
   * @param limit rows, 1 to 1000
   * @throws `usage` for a range before 0; `tampered` for a row that is not the manager's, belongs elsewhere, was not asked for, or is
   * not the one signed; `withheld` when the edge leaves room for rows that it does not show; what `DeviceLink.read` throws; `stale` and
   * `clock` if stale reads are to be refused
   */
  async page(list: ListName, range: Range, limit: number, options: CallOptions = {}): Promise<ListPage> {
    if ("before" in range && range.before < 1) throw new PosternError("usage", "Nothing of a list is before number 0");
    const { owner } = this.#link.verifier.profile;
    const make = ({ keys }: View) => rowsCall(owner, keys.epoch, rowKey(keys, list, 0), range, limit);
    const { answer, view } = await this.#link.read(make, options);
    if (answer.rows.length > limit) {
      throw new PosternError("tampered", `The edge answers with more than the ${limit} rows asked`);
    }
    const rows = await Promise.all(answer.rows.map((bytes) => openListed(view, list, bytes)));
    verifyList(view, list, range, { ...answer, rows });
    return {
      rows: rows.map(({ number, content }) => ({ number, content })),
      more: answer.more,
      asOf: this.present(view),
    };
  }

  /** All rows of a list from a number on, page by page. */
  async *all(list: ListName, from: number, options: CallOptions = {}): AsyncGenerator<ListPage> {
    for (let next = from;;) {
      const page = await this.page(list, { from: next }, PAGE_ROWS, options);
      yield page;
      const last = page.rows.at(-1);
      if (!page.more || last === undefined) return;
      next = last.number + 1;
    }
  }

  /** Of which state something is, once it may be shown. @throws `stale`, `clock` if stale reads are to be refused */
  present(view: View): AsOf {
    const now = this.#link.surroundings.now();
    if (this.#staleReads === "refuse") requireFreshView(view, now);
    return asOf(view, now);
  }
}

async function openListed({ keys }: View, list: ListName, bytes: Bytes): Promise<ListRow & HashedRow> {
  const { number } = await orTampered(() => Promise.resolve(decodeRow(bytes)));
  const { content } = await openAsked(keys, { list, number }, bytes);
  return { number, content, hash: rowHash(bytes) };
}

/** The one row that a list with a single place holds, or null. @throws `tampered` for another place */
export function onlyRow({ rows, more }: ListPage): ListRow | null {
  const [row, ...others] = rows;
  if (others.length > 0 || more || (row !== undefined && row.number !== 0)) {
    throw new PosternError("tampered", "The edge answers with several rows where there is at most one");
  }
  return row ?? null;
}

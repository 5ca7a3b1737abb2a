/** Reading lists, wherever they are read from: the edge, with proofs (list_reader.ts), or a verified copy (copy_reader.ts). */
import { PosternError } from "../../errors.ts";
import type { RowContent } from "../../protocol/contents.ts";
import type { ListName } from "../../protocol/token.ts";
import type { Range } from "../session/calls.ts";
import type { CallOptions } from "../session/http.ts";
import { type AsOf, asOf, requireFreshView, type View } from "../verify/view.ts";

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

export abstract class Lists {
  readonly #now: () => number;
  readonly #staleReads: StaleReads;

  /** @param now the device's clock, Millis */
  constructor(now: () => number, staleReads: StaleReads) {
    this.#now = now;
    this.#staleReads = staleReads;
  }

  /**
   * One page of a list: all rows of the range up to the last one shown, by the head that it is `asOf`.
   *
   * @param limit rows, 1 to 1000
   * @throws `usage` for a range before 0; `stale` and `clock` if stale reads are to be refused
   */
  abstract page(list: ListName, range: Range, limit: number, options?: CallOptions): Promise<ListPage>;

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
    const now = this.#now();
    if (this.#staleReads === "refuse") requireFreshView(view, now);
    return asOf(view, now);
  }
}

/** The one row that a list with a single place holds, or null. @throws `tampered` for another place */
export function onlyRow({ rows, more }: ListPage): ListRow | null {
  const [row, ...others] = rows;
  if (others.length > 0 || more || (row !== undefined && row.number !== 0)) {
    throw new PosternError("tampered", "The edge answers with several rows where there is at most one");
  }
  return row ?? null;
}

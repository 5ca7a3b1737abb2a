/** Reads lists from the local copy: what is not there is not there, since the whole tables were verified (spec: TREE-04). */
import { treeKey } from "../../merkle/tree_hash.ts";
import { PosternError } from "../../errors.ts";
import { rowHash } from "../../protocol/row.ts";
import { TABLE_NAMES } from "../../protocol/tables.ts";
import { type ListName, rowKey } from "../../protocol/token.ts";
import { equalBytes } from "../../bytes/bytes.ts";
import type { Range } from "../session/calls.ts";
import type { OpenCopy } from "./copy_change.ts";
import type { CopyStore } from "../memory/copy_store.ts";
import { type ListPage, type ListRow, Lists, type StaleReads } from "../read/lists.ts";
import { openAsked } from "../verify/open_content.ts";
import { requireRange } from "../verify/verify_list.ts";

/** Runs with the copy as it is, while nothing changes it. @throws `not_found` when there is none */
export type WithCopy = <T>(run: (copy: OpenCopy) => Promise<T>) => Promise<T>;

export class CopyReader extends Lists {
  readonly #withCopy: WithCopy;
  readonly #store: CopyStore;

  constructor(withCopy: WithCopy, store: CopyStore, now: () => number, staleReads: StaleReads) {
    super(now, staleReads);
    this.#withCopy = withCopy;
    this.#store = store;
  }

  /** See {@link Lists.page}. @throws besides, `not_found` without a copy; `storage` when the store lost or changed a row of it */
  page(list: ListName, range: Range, limit: number): Promise<ListPage> {
    requireRange(range);
    return this.#withCopy(async ({ view, tables }) => {
      const { table: number, token } = rowKey(view.keys, list, 0);
      const name = TABLE_NAMES[number - 1];
      if (name === undefined || name === "changes") throw new PosternError("usage", "The copy has no such list");
      const numbers = tables[name].numbers(token, range, limit + 1);
      const shown = numbers.slice(0, limit);
      const rows = await Promise.all(shown.map(async (number): Promise<ListRow> => {
        const key = treeKey(token, number);
        const bytes = await this.#store.row(name, key);
        const hash = tables[name].hashOf(key);
        if (bytes === null || hash === undefined || !equalBytes(rowHash(bytes), hash)) {
          throw new PosternError("storage", "The local copy has lost a row, or has another one: fetch it anew");
        }
        return { number, content: (await openAsked(view.keys, { list, number }, bytes)).content };
      }));
      return { rows, more: numbers.length > limit, asOf: this.present(view) };
    });
  }
}

/** The content tree of a copy: what proves it when its rows are not all sealed as the head's tables have them (spec: COPY-03). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { StateTree } from "../../merkle/state_tree.ts";
import type { EpochKeys } from "../../protocol/epoch_keys.ts";
import { contentLeaf } from "../../protocol/plaintexts.ts";
import { TABLES } from "../../protocol/tables.ts";
import type { CopiedRow } from "../memory/copy_store.ts";
import { openOfTable, type TableRow } from "../verify/open_content.ts";

/** Rows opened at once. */
const BATCH = 256;

export class CopiedContents {
  readonly #tree = new StateTree();

  /** Takes the content of a row in; false for a cover row, which has none. */
  put({ place, plaintext }: TableRow): boolean {
    if (place === null) return false;
    const { key, value } = contentLeaf(place.list, place.number, plaintext);
    this.#tree.set({ key, rowHash: value });
    return true;
  }

  remove({ place, plaintext }: TableRow): void {
    if (place !== null) this.#tree.delete(contentLeaf(place.list, place.number, plaintext).key);
  }

  is(contentRoot: Bytes): boolean {
    return equalBytes(this.#tree.root(), contentRoot);
  }
}

/** Opens rows of one epoch, some at once, and hands them on with what they are rows of. @throws `tampered` */
export async function* openRows<R extends CopiedRow>(
  keys: EpochKeys,
  rows: AsyncIterable<R> | Iterable<R>,
): AsyncGenerator<{ readonly row: R; readonly opened: TableRow }[]> {
  let batch: R[] = [];
  const open = () =>
    Promise.all(batch.map(async (row) => ({ row, opened: await openOfTable(keys, TABLES[row.table], row.bytes) })));
  for await (const row of rows) {
    if (batch.push(row) < BATCH) continue;
    yield await open();
    batch = [];
  }
  yield await open();
}

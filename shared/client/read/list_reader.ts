/** Reads ranges of lists: asks by token, checks every row and that none is missing, knows of which state it is (shared/spec/reading.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import { decodeRow, rowHash } from "../../protocol/row.ts";
import { type ListName, rowKey } from "../../protocol/token.ts";
import { type Range, rowsCall } from "../session/calls.ts";
import type { DeviceLink } from "../device_link.ts";
import type { CallOptions } from "../session/http.ts";
import { type ListPage, type ListRow, Lists, type StaleReads } from "./lists.ts";
import { openAsked, orTampered } from "../verify/open_content.ts";
import { type HashedRow, requireRange, verifyList } from "../verify/verify_list.ts";
import type { View } from "../verify/view.ts";

export class ListReader extends Lists {
  readonly #link: DeviceLink;

  constructor(link: DeviceLink, staleReads: StaleReads) {
    super(link.surroundings.now, staleReads);
    this.#link = link;
  }

  /**
   * See {@link Lists.page}.
   *
   * @throws besides, `tampered` for a row that is not the manager's, belongs elsewhere, was not asked for, or is not the one signed;
   * `withheld` when the edge leaves room for rows that it does not show; what `DeviceLink.read` throws
   */
  async page(list: ListName, range: Range, limit: number, options: CallOptions = {}): Promise<ListPage> {
    requireRange(range);
    const { owner } = this.#link.verifier.profile;
    const make = ({ keys }: View) => rowsCall(owner, keys.epoch, rowKey(keys, list, 0), range, limit);
    const { answer, view } = await this.#link.read(make, options);
    if (answer.rows.length > limit) {
      throw new PosternError("tampered", `The edge answers with more than the ${limit} rows asked`);
    }
    const rows = await Promise.all(answer.rows.map((bytes) => openListed(view, list, bytes)));
    verifyList(view, rowKey(view.keys, list, 0), range, { ...answer, rows });
    return {
      rows: rows.map(({ number, content }) => ({ number, content })),
      more: answer.more,
      asOf: this.present(view),
    };
  }
}

async function openListed({ keys }: View, list: ListName, bytes: Bytes): Promise<ListRow & HashedRow> {
  const { number } = await orTampered(() => Promise.resolve(decodeRow(bytes)));
  const { content } = await openAsked(keys, { list, number }, bytes);
  return { number, content, hash: rowHash(bytes) };
}

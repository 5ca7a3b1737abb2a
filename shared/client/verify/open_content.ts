/** From the bytes of a row to a content that certainly is the manager's and belongs where it stands (spec: ROW-07, ROW-10). */
import { type Bytes, equalBytes } from "../../bytes/bytes.ts";
import { type ErrorCode, isPosternError, PosternError } from "../../errors.ts";
import { decodeContent, listsOf, type Place, type RowContent, standsIn } from "../../protocol/contents.ts";
import type { EpochKeys } from "../../protocol/epoch_keys.ts";
import { decodeRow, openDecodedRow, openRow, rowHash, type StoredRow } from "../../protocol/row.ts";
import type { TableNumber } from "../../protocol/tables.ts";
import { indexToken, rowKey } from "../../protocol/token.ts";

/** What a failed check of form is called where only the manager's own rows may be. */
const FORM: readonly ErrorCode[] = ["malformed", "too_large", "unsupported"];

/** A row whose every check passed. */
export interface OpenedRow {
  readonly content: RowContent;
  readonly plaintext: Bytes;
}

/** A row of a whole table; `place` is null for a cover row, which says nothing of its own. */
export interface TableRow extends OpenedRow {
  readonly token: Bytes;
  readonly number: number;
  readonly hash: Bytes;
  readonly place: Place | null;
}

/**
 * Opens a row that was asked for by its list and number.
 *
 * @throws `tampered`, whatever about it is wrong
 */
export async function openAsked(keys: EpochKeys, place: Place, bytes: Bytes): Promise<OpenedRow> {
  return await orTampered(async () => {
    const { table } = rowKey(keys, place.list, place.number);
    const plaintext = await openRow(keys, rowKey(keys, place.list, place.number), bytes);
    const content = decodeContent(table, plaintext);
    if (!standsIn(content, place)) throw new PosternError("tampered", "A row holds what belongs to another place");
    if (content.kind === "device") requireSameDevice(content, decodeRow(bytes));
    return { content, plaintext };
  });
}

/**
 * Opens a row of a fetched table: nobody asked for its place, so its token is computed again from what it holds.
 *
 * @throws `tampered`, whatever about it is wrong
 */
export async function openOfTable(keys: EpochKeys, table: TableNumber, bytes: Bytes): Promise<TableRow> {
  return await orTampered(async () => {
    const row = decodeRow(bytes);
    if (row.table !== table) throw new PosternError("tampered", "A table holds a row of another table");
    const plaintext = await openDecodedRow(keys, row);
    const content = decodeContent(table, plaintext);
    const { token, number } = row;
    const place = placeOf(keys, content, row);
    if (content.kind === "device") requireSameDevice(content, row);
    return { content, plaintext, token, number, hash: rowHash(bytes), place };
  });
}

function placeOf(keys: EpochKeys, content: RowContent, { token, number }: StoredRow): Place | null {
  if (content.kind === "cover") return null;
  const list = listsOf(content, number).find((one) => equalBytes(indexToken(keys, one), token));
  if (list === undefined) throw new PosternError("tampered", "A row holds what belongs to another place");
  return { list, number };
}

/** What the edge sees of a device is what the owner's devices see of it. */
function requireSameDevice({ device }: RowContent & { kind: "device" }, { extra }: StoredRow): void {
  const agrees = extra !== null && equalBytes(device.id, extra.device) && device.registration === extra.registration &&
    equalBytes(device.publicKey, extra.publicKey) && device.suite === extra.suite;
  if (!agrees) throw new PosternError("tampered", "A device's row says one thing in the clear and another inside");
}

/** Runs checks that only rows of somebody else's making can fail, and calls every failure `tampered`. */
export async function orTampered<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!isPosternError(cause) || !FORM.includes(cause.code)) throw cause;
    throw new PosternError("tampered", `A row is not what the manager stored: ${cause.message}`, { cause });
  }
}

/** Plaintexts that the manager writes of its own accord: receipts, change lists, cover rows (shared/spec/rows.md). */
import * as v from "valibot";
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { bytesOf, bytesUpTo, decodeAs, positive, textUpTo, uint } from "./shapes.ts";
import type { EpochKeys } from "./epoch_keys.ts";
import { LIST_TABLE, type TableNumber } from "./tables.ts";
import { coverToken, type ListName, type RowKey, rowKey } from "./token.ts";

/** What became of a submission (spec: ROW-14). */
const OUTCOME = { done: 0, held: 1, refused: 2 } as const;

export type Outcome = keyof typeof OUTCOME;

const OUTCOMES: readonly Outcome[] = ["done", "held", "refused"];

const receiptTuple = v.strictTuple([
  v.literal("receipt"),
  bytesOf(16),
  bytesOf(16),
  positive,
  bytesOf(32),
  v.picklist([0, 1, 2] as const),
  textUpTo(LIMITS.maxNoteChars),
]);
const change = v.strictTuple([
  v.picklist([1, 2, 3] as const),
  v.picklist(["device", "fingerprint", "subject", "channels", "channel", "message", "receipt", "cover"] as const),
  v.union([v.string(), bytesUpTo(32)]),
  uint,
  v.nullable(bytesOf(32)),
]);
const changesTuple = v.strictTuple([v.literal("changes"), positive, v.array(change)]);
const coverTuple = v.strictTuple([v.literal("cover"), bytesUpTo(LIMITS.maxRowBytes)]);

/** The manager's word on one submission of a device. */
export interface ReceiptContent {
  readonly device: Bytes;
  readonly stream: Bytes;
  readonly number: number;
  /** Hash of the submission that it is about. */
  readonly submission: Bytes;
  readonly outcome: Outcome;
  readonly text: string;
}

/** A list that is one cover row. */
export interface CoverName {
  readonly kind: "cover";
  /** The table that it fills. */
  readonly table: TableNumber;
  readonly name: Bytes;
}

/** One row that a push changed: where it is, and the value of its content leaf, null when it was removed. */
export interface Change {
  readonly list: ListName | CoverName;
  readonly number: number;
  readonly content: Bytes | null;
}

/** What one push changed (spec: ROW-15). */
export interface ChangesContent {
  readonly generation: number;
  readonly changes: readonly Change[];
}

/** The row key of a row that a change list names. */
export function changedRowKey(keys: EpochKeys, { list, number }: Omit<Change, "content">): RowKey {
  if (list.kind !== "cover") return rowKey(keys, list, number);
  return { table: list.table, token: coverToken(keys, list.table, list.name), number };
}

export function encodeReceipt(r: ReceiptContent): Bytes {
  return encodeCbor(["receipt", r.device, r.stream, r.number, r.submission, OUTCOME[r.outcome], r.text]);
}

/** @throws `malformed` */
export function decodeReceipt(bytes: Bytes): ReceiptContent {
  const [, device, stream, number, submission, outcome, text] = decodeAs(receiptTuple, bytes, "receipt");
  return { device, stream, number, submission, outcome: OUTCOMES[outcome] ?? "refused", text };
}

/** @throws `too_large` for more than `LIMITS.maxChangeListBytes` */
// spec: ROW-15
export function encodeChanges({ generation, changes }: ChangesContent): Bytes {
  const listed = changes.map(({ list, number, content }) => {
    return [list.kind === "cover" ? list.table : LIST_TABLE[list.kind], list.kind, list.name, number, content];
  });
  const bytes = encodeCbor(["changes", generation, listed]);
  if (bytes.length > LIMITS.maxChangeListBytes) {
    throw new PosternError("too_large", `A change list would have ${bytes.length} bytes`);
  }
  return bytes;
}

/** @throws `malformed`, also for a list whose table is not that of its kind */
export function decodeChanges(bytes: Bytes): ChangesContent {
  if (bytes.length > LIMITS.maxChangeListBytes) {
    throw new PosternError("malformed", `A change list has ${bytes.length} bytes`);
  }
  const [, generation, listed] = decodeAs(changesTuple, bytes, "change list");
  const changes = listed.map(([table, kind, name, number, content]): Change => {
    return { list: changedList(table, kind, name), number, content };
  });
  return { generation, changes };
}

function changedList(table: TableNumber, kind: keyof typeof NAME_TYPE | "cover", name: string | Bytes): Change["list"] {
  if (kind === "cover" && typeof name !== "string") return { kind, table, name };
  if (kind === "cover" || LIST_TABLE[kind] !== table || typeof name !== NAME_TYPE[kind]) {
    throw new PosternError("malformed", `A change list names a list '${kind}' in a form that there is not`);
  }
  return { kind, name };
}

/** What `typeof` says of the name of a list of each kind. */
const NAME_TYPE = {
  device: "object",
  fingerprint: "object",
  subject: "string",
  channels: "string",
  channel: "string",
  message: "object",
  receipt: "object",
} as const;

/** A row that only fills; `size` zero bytes. */
export function encodeCover(size: number): Bytes {
  return encodeCbor(["cover", new Uint8Array(size)]);
}

/** The number of zero bytes of a cover row. @throws `malformed` */
export function decodeCover(bytes: Bytes): number {
  const [, zeros] = decodeAs(coverTuple, bytes, "cover row");
  if (zeros.some((byte) => byte !== 0)) throw new PosternError("malformed", "A cover row holds something");
  return zeros.length;
}

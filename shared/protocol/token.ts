/** Index tokens: by what a list is asked for without its name being known to the edge (spec: ROW-01). */
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import { hmacSha256 } from "../crypto/hash.ts";
import type { EpochKeys } from "./epoch_keys.ts";
import { LABELS } from "./labels.ts";
import { LIST_TABLE, type ListKind, type TableNumber } from "./tables.ts";

/** A list by its kind and name. */
export interface ListName {
  readonly kind: ListKind;
  readonly name: string | Bytes;
}

/** Where a row is: its table, its list's token, its number in the list. */
export interface RowKey {
  readonly table: TableNumber;
  readonly token: Bytes;
  readonly number: number;
}

/** The 32-byte token of a list in one epoch. */
export function indexToken(keys: EpochKeys, list: ListName): Bytes {
  const { token } = keys.tables[LIST_TABLE[list.kind]];
  return hmacSha256(token, encodeCbor([LABELS.token, list.kind, list.name]));
}

/** The token of a cover row's list, which no device asks for (spec: ROW-13). */
export function coverToken(keys: EpochKeys, table: TableNumber, name: Bytes): Bytes {
  return hmacSha256(keys.tables[table].token, encodeCbor([LABELS.token, "cover", name]));
}

/** The row key of a place in a list. */
export function rowKey(keys: EpochKeys, list: ListName, number: number): RowKey {
  return { table: LIST_TABLE[list.kind], token: indexToken(keys, list), number };
}

/** The lists that are there in every epoch. */
export const LISTS = {
  device: (id: Bytes): ListName => ({ kind: "device", name: id }),
  fingerprint: (fingerprint: Bytes): ListName => ({ kind: "fingerprint", name: fingerprint }),
  subject: (canonicalDn: string): ListName => ({ kind: "subject", name: canonicalDn }),
  channels: { kind: "channels", name: "" } as ListName,
  channel: (name: string): ListName => ({ kind: "channel", name }),
  message: (id: Bytes): ListName => ({ kind: "message", name: id }),
  generations: { kind: "generations", name: "" } as ListName,
} as const;

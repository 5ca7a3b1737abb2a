/**
 * Entries: what the edge shall hold, one for each row. Domain changes and their entries go into one batch; that an entry changed is noted
 * by triggers, so that nobody can forget it.
 */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import type { Statement } from "../../shared/database/database.ts";
import { query, toFlag } from "../../shared/database/query.ts";
import { contentLeaf } from "../../shared/protocol/plaintexts.ts";
import { LIST_TABLE } from "../../shared/protocol/tables.ts";
import type { EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import { coverToken, indexToken, type ListName, type RowKey } from "../../shared/protocol/token.ts";
import { coverTable, listOfCover } from "./covers.ts";
import type { EntriesTable } from "./schema.ts";
import { tables } from "./tables.ts";

type NewEntry = Omit<EntriesTable, "id">;

const upsert = query((p: NewEntry) =>
  tables.insertInto("entries").values({
    tbl: p.tbl,
    kind: p.kind,
    name: p.name,
    name_is_text: p.name_is_text,
    number: p.number,
    content_key: p.content_key,
    content_hash: p.content_hash,
    plaintext: p.plaintext,
  }).onConflict((c) => c.column("content_key").doUpdateSet({ content_hash: p.content_hash, plaintext: p.plaintext }))
);
const remove = query((p: { key: Bytes }) => tables.deleteFrom("entries").where("content_key", "=", p.key));

/** Puts an entry in its place in a list, instead of what stood there before. */
export function putEntry(list: ListName, number: number, plaintext: Bytes): Statement<never> {
  const { key, value } = contentLeaf(list, number, plaintext);
  return upsert.bind({
    tbl: LIST_TABLE[list.kind],
    kind: list.kind,
    name: typeof list.name === "string" ? utf8(list.name) : list.name,
    name_is_text: toFlag(typeof list.name === "string"),
    number,
    content_key: key,
    content_hash: value,
    plaintext,
  });
}

/** Takes an entry away. */
export function removeEntry(list: ListName, number: number): Statement<never> {
  return remove.bind({ key: contentLeaf(list, number, new Uint8Array(0)).key });
}

// A byte order mark at the beginning of a name belongs to it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The row key of an entry in an epoch. */
export function rowKeyOf(
  keys: EpochKeys,
  entry: { kind: string; name: Bytes; name_is_text: number; number: number },
): RowKey {
  const { kind, name, number } = entry;
  const covered = coverTable(kind);
  if (covered !== null) return { table: covered, token: coverToken(keys, covered, name), number };
  const list = listOf({ ...entry, kind: listOfCover(kind) ?? kind });
  return { table: LIST_TABLE[list.kind], token: indexToken(keys, list), number };
}

/** The list that an entry stands in; not for a cover row. */
export function listOf(entry: { kind: string; name: Bytes; name_is_text: number }): ListName {
  const name = entry.name_is_text === 1 ? decoder.decode(entry.name) : entry.name;
  return { kind: entry.kind as ListName["kind"], name };
}

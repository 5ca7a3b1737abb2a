/**
 * Cover rows among the entries: the truth knows nothing of them, the edge cannot tell them from it. Their content keys end in ones,
 * where those of the content tree's leaves end in zeros: so they are placed and compared like other entries, and are in no content tree.
 */
// spec: ROW-13
import { type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { compile, query } from "../../shared/database/query.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import { encodeCover } from "../../shared/protocol/records.ts";
import { COVERED_LISTS, type CoveredList } from "../../shared/protocol/contents.ts";
import { LIST_TABLE, TABLES } from "../../shared/protocol/tables.ts";
import { tables } from "./tables.ts";

/** The tables that are covered. Devices change with whole epochs only. */
export const COVERED = [TABLES.certificates, TABLES.messages] as const;
export type CoveredTable = (typeof COVERED)[number];

/** Kinds of entries: what fills which table. */
const KINDS = { [TABLES.certificates]: "cover 2", [TABLES.messages]: "cover 3" } as const;

/** The table that a kind of entry fills with lists of its own; null for an entry of the truth, and for one among the rows of a list. */
export function coverTable(kind: string): CoveredTable | null {
  return COVERED.find((table) => KINDS[table] === kind) ?? null;
}

/** The kind of entries that fill a table with lists of their own. */
export function coverKind(table: CoveredTable): string {
  return KINDS[table];
}

/** The kind of entries that fill places in lists of a kind. */
export function listCoverKind(kind: CoveredList): string {
  return `cover ${kind}`;
}

/** The kind of the list that an entry fills a place in; null for any other entry. */
export function listOfCover(kind: string): CoveredList | null {
  return COVERED_LISTS.find((list) => listCoverKind(list) === kind) ?? null;
}

/** Whether a content key is that of a leaf of the content tree. */
export function isContentLeaf(key: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`substr(${key}, 33) = zeroblob(8)`;
}

interface Cover extends Record<string, string | number | Bytes> {
  tbl: number;
  kind: string;
  name: Bytes;
  name_is_text: number;
  number: number;
  key: Bytes;
  hash: Bytes;
  plaintext: Bytes;
}

const insertEntry = query((p: Cover) =>
  tables.insertInto("entries").values({
    ...{ tbl: p.tbl, kind: p.kind, name: p.name, name_is_text: p.name_is_text, number: p.number },
    ...{ content_key: p.key, content_hash: p.hash, plaintext: p.plaintext },
  })
);
const insertCover = query((p: { tbl: number; key: Bytes }) =>
  tables.insertInto("covers").values({ tbl: p.tbl, content_key: p.key })
);
const replaceEntry = query((p: { key: Bytes; hash: Bytes; plaintext: Bytes }) =>
  tables.updateTable("entries").set({ content_hash: p.hash, plaintext: p.plaintext }).where("content_key", "=", p.key)
);
const deleteEntry = query((p: { key: Bytes }) => tables.deleteFrom("entries").where("content_key", "=", p.key));
const deleteCover = query((p: { key: Bytes; tbl: number }) =>
  tables.deleteFrom("covers").where("tbl", "=", p.tbl).where("content_key", "=", p.key)
);
const countIn = query((p: { tbl: number }) =>
  tables.selectFrom("covers").select((e) => e.fn.countAll<number>().as("count")).where("tbl", "=", p.tbl)
);
const countAll = compile(tables.selectFrom("covers").select((e) => e.fn.countAll<number>().as("count")));

/** How many cover rows a table has. */
export async function countCovers(db: Database, tbl: CoveredTable): Promise<number> {
  return (await db.execute(countIn.bind({ tbl }))).rows[0]?.count ?? 0;
}

/** How many there are. */
export async function countAllCovers(db: Database): Promise<number> {
  return (await db.execute(countAll)).rows[0]?.count ?? 0;
}

/** Adds a cover row. @param name 16 random bytes @param zeros how many zero bytes it holds */
export function addCover(tbl: CoveredTable, name: Bytes, zeros: number): Statement<never>[] {
  const key = new Uint8Array(40).fill(0xff);
  key.set(sha256(encodeCbor([LABELS.contentName, tbl, "cover", name, 0])));
  const { hash, plaintext } = contentOf(zeros);
  const entry = { tbl, kind: KINDS[tbl], name, name_is_text: 0, number: 0 };
  return [insertEntry.bind({ ...entry, key, hash, plaintext }), insertCover.bind({ tbl, key })];
}

/** Adds one among the rows of a list, where none stands. @param name the list's, whose kinds all have text for one */
export function addListCover(kind: CoveredList, name: Bytes, number: number): Statement<never>[] {
  const tbl = LIST_TABLE[kind];
  const key = new Uint8Array(40).fill(0xff);
  key.set(sha256(encodeCbor([LABELS.contentName, tbl, listCoverKind(kind), name, number])));
  const entry = { tbl, kind: listCoverKind(kind), name, name_is_text: 1, number };
  return [insertEntry.bind({ ...entry, key, ...contentOf(0) }), insertCover.bind({ tbl, key })];
}

/** Puts another content in the place of a cover row's. */
export function replaceCover(key: Bytes, zeros: number): Statement<never> {
  return replaceEntry.bind({ key, ...contentOf(zeros) });
}

/** Takes a cover row away. */
export function removeCover(tbl: number, key: Bytes): Statement<never>[] {
  return [deleteEntry.bind({ key }), deleteCover.bind({ tbl, key })];
}

function contentOf(zeros: number): { hash: Bytes; plaintext: Bytes } {
  const plaintext = encodeCover(zeros);
  return { hash: sha256(encodeCbor([LABELS.content, plaintext])), plaintext };
}

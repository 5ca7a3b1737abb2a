/** Padding the lists of a small store: their lengths come in steps, and all rows of one are of one size (spec: PUSH-20). */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { paddedLength } from "../../../shared/bytes/padding.ts";
import type { Database } from "../../../shared/database/database.ts";
import { compile } from "../../../shared/database/query.ts";
import { COVERED_LISTS, type CoveredList } from "../../../shared/protocol/contents.ts";
import { LIST_TABLE } from "../../../shared/protocol/tables.ts";
import { addListCover, listCoverKind, listOfCover, removeCover } from "../../store/covers.ts";
import { tables } from "../../store/tables.ts";
import { stepOf } from "./cover_plan.ts";

/** Changes made in one transaction. */
const STEP = 250;
/** Where more numbers than so many times the rows are free, those between the rows stay free: a list must not grow for what it never held. */
const MOST_GAPS = 4;

/** Sizes of lists of messages are powers of two up to here, then quarters of one: they seldom have to grow. */
const POWERS_UP_TO_BYTES = 4_096;
/** Short messages are a little shorter or longer than the least padded length. */
const LEAST_BYTES = 512;

const KINDS = [...COVERED_LISTS, ...COVERED_LISTS.map(listCoverKind)];
const rows = compile(
  tables.selectFrom("entries").select(["kind", "name", "number", "content_key as key"])
    .select((e) => e.fn<number>("length", ["plaintext"]).as("size")).where("kind", "in", KINDS),
);
const covers = compile(
  tables.selectFrom("entries").select(["tbl", "content_key as key"]).where(
    "kind",
    "in",
    COVERED_LISTS.map(listCoverKind),
  ).limit(STEP),
);
const largest = compile(
  tables.selectFrom("entries").select(["kind", "name"]).select(
    sql<number>`max(length(plaintext))`.as("size"),
  ).where("kind", "in", [...COVERED_LISTS]).groupBy(["kind", "name"]),
);

/** A list, what stands in it, and the cover rows that do. */
interface List {
  readonly kind: CoveredList;
  readonly name: Bytes;
  readonly numbers: Set<number>;
  readonly covers: Map<number, Bytes>;
  /** Bytes of the longest plaintext. */
  size: number;
}

/** A list as it is pushed. */
export interface PaddedList {
  readonly kind: CoveredList;
  /** Rows, with the cover rows among them. */
  readonly rows: number;
  /** Padded bytes of each plaintext. */
  readonly size: number;
}

/**
 * Sets the cover rows among the rows of lists before a full push of a small store.
 *
 * @param least rows of the lowest step; that of a list of certificates is one
 * @returns the lists as they are then
 */
// spec: PUSH-20
export async function padLists(db: Database, least: number): Promise<PaddedList[]> {
  const padded: PaddedList[] = [];
  const changes = [];
  for (const list of (await lists(db)).values()) {
    const { kind, name, numbers, covers, size } = list;
    const free = freeNumbers(list, least);
    const wanted = new Set(free);
    for (const number of free) if (!covers.has(number)) changes.push(addListCover(kind, name, number));
    for (const [number, key] of covers) {
      if (!wanted.has(number)) changes.push(removeCover(LIST_TABLE[kind], key));
    }
    if (numbers.size > 0) padded.push({ kind, rows: numbers.size + free.length, size: sizeFor(kind, size) });
  }
  for (let at = 0; at < changes.length; at += STEP) await db.batch(changes.slice(at, at + STEP).flat());
  return padded;
}

/** Removes them all: deltas put rows into the places that they fill. */
export async function clearLists(db: Database): Promise<void> {
  while (true) {
    const { rows: found } = await db.execute(covers);
    if (found.length === 0) return;
    await db.batch(found.flatMap(({ tbl, key }) => removeCover(tbl, key)));
  }
}

/** The size to which each list's rows are padded, by {@link listKey}. */
export async function listSizes(db: Database): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const { kind, name, size } of (await db.execute(largest)).rows) {
    sizes.set(listKey(kind, name), sizeFor(kind, size));
  }
  return sizes;
}

/** The same for a list and for the cover rows in it. */
export function listKey(kind: string, name: Bytes): string {
  return `${listOfCover(kind) ?? kind} ${toHex(name)}`;
}

/** To which size a row of the table of certificates is padded: in coarser steps than elsewhere, since each step is filled with cover rows. */
export function certificateSize(bytes: number): number {
  return quarterOf(paddedLength(bytes));
}

/** The next power of two, or quarter between two. All of them are lengths that PADMÉ gives. */
function quarterOf(size: number): number {
  const unit = 2 ** Math.ceil(Math.log2(size)) / 8;
  return Math.ceil(size / unit) * unit;
}

function sizeFor(kind: string, longest: number): number {
  if (kind === "subject") return certificateSize(longest);
  const size = Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(paddedLength(longest))));
  return size <= POWERS_UP_TO_BYTES ? size : quarterOf(paddedLength(longest));
}

function freeNumbers({ kind, numbers }: List, least: number): number[] {
  if (numbers.size === 0) return [];
  const first = kind === "subject" ? 0 : 1;
  const last = [...numbers].reduce((a, b) => Math.max(a, b));
  const step = stepOf(last + 1 - first, kind === "subject" ? 1 : least);
  const isSparse = step > MOST_GAPS * (numbers.size + least);
  const from = isSparse ? last + 1 : first;
  return Array.from({ length: first + step - from }, (_, index) => from + index).filter((number) =>
    !numbers.has(number)
  );
}

async function lists(db: Database): Promise<ReadonlyMap<string, List>> {
  const found = new Map<string, List>();
  for (const row of (await db.execute(rows)).rows) {
    const covered = listOfCover(row.kind);
    const kind = covered ?? COVERED_LISTS.find((one) => one === row.kind);
    if (kind === undefined) continue;
    const key = listKey(kind, row.name);
    const list = found.get(key) ?? { kind, name: row.name, numbers: new Set(), covers: new Map(), size: 0 };
    found.set(key, list);
    if (covered !== null) list.covers.set(row.number, row.key);
    else {
      list.numbers.add(row.number);
      list.size = Math.max(list.size, row.size);
    }
  }
  return found;
}

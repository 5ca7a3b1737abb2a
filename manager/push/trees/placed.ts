/** What the edge holds, row by row, as far as the manager must remember it: for deltas, roots and reading back. */
import { type AliasedRawBuilder, type RawBuilder, sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { KEY_BYTES, type Leaf, TOKEN_BYTES } from "../../../shared/merkle/tree_hash.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import { isContentLeaf } from "../../store/covers.ts";
import { tables } from "../../store/tables.ts";

/** Rows read at once: as quick as more, and few enough to be forgotten before V8 takes them for lasting. */
const PAGE_ROWS = 500;
/** Rows written or deleted at once: other processes wait that long. */
const STEP_ROWS = 20_000;
/** Steps in which an epoch is placed at most: each goes through everything that is staged, so more of them for more rows would be quadratic. */
const MAX_STEPS = 10;

// A page comes as one value, in which each leaf has its key and its value, 72 bytes together: a row for each takes eight times as long.
// What counts as text in between is bytes to SQLite as long as nobody asks for characters.
const inOrder = query((p: { epoch: number; tbl: number; token: Bytes; number: number; limit: number }) =>
  tables.selectFrom(
    tables.selectFrom("leaves").select(["token", "number", "row_hash"])
      .where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
      .where((e) => e(e.refTuple("token", "number"), ">", e.tuple(p.token, p.number)))
      .orderBy("token").orderBy("number").limit(p.limit).as("page"),
  ).select(packed(sql`token || unhex(printf('%016X', number)) || row_hash`))
);
const contents = query((p: { epoch: number; key: Bytes; limit: number }) =>
  tables.selectFrom(
    tables.selectFrom("placed").select(["content_key", "content_hash"]).where("epoch", "=", p.epoch)
      .where("content_key", ">", p.key).where(isContentLeaf(sql.ref("content_key"))).orderBy("content_key")
      .limit(p.limit).as("page"),
  ).select(packed(sql`content_key || content_hash`))
);
const lastPlaced = query((p: { epoch: number }) =>
  tables.selectFrom("placed").select("content_key").where("epoch", "=", p.epoch).orderBy("content_key", "desc").limit(1)
);
const lastLeaf = query((p: { epoch: number }) =>
  tables.selectFrom("leaves").select(["tbl", "token", "number"]).where("epoch", "=", p.epoch)
    .orderBy("tbl", "desc").orderBy("token", "desc").orderBy("number", "desc").limit(1)
);
const placeContents = query((p: { epoch: number; key: Bytes; limit: number }) =>
  tables.insertInto("placed").columns(["epoch", "content_key", "content_hash"]).expression((e) =>
    e.selectFrom("staged").select((s) => [
      s.val(p.epoch).as("epoch"),
      "content_key",
      s.ref("content_hash").$notNull().as("content_hash"),
    ]).where("content_hash", "is not", null).where("content_key", ">", p.key).orderBy("content_key").limit(p.limit)
  )
);
const placeLeaves = query((p: { epoch: number; tbl: number; token: Bytes; number: number; limit: number }) =>
  tables.insertInto("leaves").columns(["epoch", "tbl", "token", "number", "row_hash"]).expression((e) =>
    e.selectFrom("staged").select((s) => [
      s.val(p.epoch).as("epoch"),
      ...["tbl", "token", "number"] as const,
      s.ref("row_hash").$notNull().as("row_hash"),
    ]).where("row_hash", "is not", null)
      .where((s) => s(s.refTuple("tbl", "token", "number"), ">", s.tuple(p.tbl, p.token, p.number)))
      .orderBy("tbl").orderBy("token").orderBy("number").limit(p.limit)
  )
);
const dropContents = query((p: { epoch: number; limit: number }) =>
  tables.deleteFrom("placed").where("epoch", "=", p.epoch).where(
    "content_key",
    "in",
    (e) => e.selectFrom("placed").select("content_key").where("epoch", "=", p.epoch).limit(p.limit),
  )
);
// A table at a time: for all at once, SQLite would go through every leaf of the epoch, and here in each step.
const dropLeaves = query((p: { epoch: number; tbl: number; limit: number }) =>
  tables.deleteFrom("leaves").where("epoch", "=", p.epoch).where("tbl", "=", p.tbl).where((e) =>
    e(
      e.refTuple("token", "number"),
      "in",
      e.selectFrom("leaves").select(["token", "number"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
        .limit(p.limit).$asTuple("token", "number"),
    )
  )
);
const removeContents = query((p: { epoch: number }) =>
  tables.deleteFrom("placed").where("epoch", "=", p.epoch)
    .where("content_key", "in", (e) => e.selectFrom("staged").select("content_key"))
);
// A table at a time, for the same reason.
const removeLeaves = query((p: { epoch: number; tbl: number }) =>
  tables.deleteFrom("leaves").where("epoch", "=", p.epoch).where("tbl", "=", p.tbl).where((e) =>
    e(
      e.refTuple("token", "number"),
      "in",
      e.selectFrom("staged").select(["token", "number"]).where("tbl", "=", p.tbl).$asTuple("token", "number"),
    )
  )
);

const NOTHING: Bytes = new Uint8Array(0);
const LEAF_BYTES = KEY_BYTES + 32;

function packed(leaf: RawBuilder<unknown>): AliasedRawBuilder<Bytes | null, "leaves"> {
  return sql<Bytes | null>`CAST(group_concat(${leaf}, '') AS BLOB)`.as("leaves");
}

/** @throws `storage` for what is no whole number of leaves; that they are in order is checked where a root is made of them */
function unpack(page: { readonly leaves: Bytes | null } | undefined): Leaf[] {
  const bytes = page?.leaves ?? NOTHING;
  if (bytes.length % LEAF_BYTES !== 0) {
    throw new PosternError("storage", "The manager's database holds a leaf of another size than leaves have");
  }
  return Array.from({ length: bytes.length / LEAF_BYTES }, (_, index) => {
    const [start, end] = [index * LEAF_BYTES, (index + 1) * LEAF_BYTES];
    return { key: bytes.subarray(start, start + KEY_BYTES), rowHash: bytes.subarray(start + KEY_BYTES, end) };
  });
}

/** What a tree's key consists of. */
function keyParts(key: Bytes): { token: Bytes; number: number } {
  const { buffer, byteOffset } = key;
  const number = new DataView(buffer, byteOffset, KEY_BYTES).getBigUint64(TOKEN_BYTES);
  return { token: key.subarray(0, TOKEN_BYTES), number: Number(number) };
}

/**
 * Puts what is staged for an epoch that is being built into its place, in order and in bounded steps; it counts once the epoch is the
 * current one. Whatever lay there from a push that was cut off goes first.
 *
 * @param rows how many are staged
 */
export async function placeStaged(db: Database, epoch: number, rows: number): Promise<void> {
  await dropPlaced(db, epoch);
  const limit = Math.max(STEP_ROWS, Math.ceil(rows / MAX_STEPS));
  for (let placed = limit; placed === limit;) {
    const { rows: [last] } = await db.execute(lastPlaced.bind({ epoch }));
    const key = last?.content_key ?? NOTHING;
    placed = (await db.execute(placeContents.bind({ epoch, key, limit }))).changes;
  }
  for (let placed = limit; placed === limit;) {
    const { rows: [last] } = await db.execute(lastLeaf.bind({ epoch }));
    const after = last ?? { tbl: 0, token: NOTHING, number: 0 };
    placed = (await db.execute(placeLeaves.bind({ epoch, ...after, limit }))).changes;
  }
}

/** Carries a confirmed delta into what is placed. */
export function applyStaged(epoch: number): Statement<never>[] {
  return [
    removeContents.bind({ epoch }),
    ...Object.values(TABLES).map((tbl) => removeLeaves.bind({ epoch, tbl })),
    placeContents.bind({ epoch, key: NOTHING, limit: Number.MAX_SAFE_INTEGER }),
    placeLeaves.bind({ epoch, tbl: 0, token: NOTHING, number: 0, limit: Number.MAX_SAFE_INTEGER }),
  ];
}

/** Deletes what was placed in an epoch, in bounded steps. */
export async function dropPlaced(db: Database, epoch: number): Promise<void> {
  const limit = STEP_ROWS;
  const contents = dropContents.bind({ epoch, limit });
  for (const step of [contents, ...Object.values(TABLES).map((tbl) => dropLeaves.bind({ epoch, tbl, limit }))]) {
    while ((await db.execute(step)).changes > 0) { /* the next step */ }
  }
}

/** The leaves of a table's tree, in the order of their keys; those of a page share its memory. */
export async function* placedLeaves(db: Database, epoch: number, tbl: number): AsyncGenerator<Leaf[]> {
  let after: { token: Bytes; number: number } = { token: NOTHING, number: -1 };
  while (true) {
    const { rows: [page] } = await db.execute(inOrder.bind({ epoch, tbl, ...after, limit: PAGE_ROWS }));
    const leaves = unpack(page);
    yield leaves;
    const last = leaves.at(-1);
    if (last === undefined || leaves.length < PAGE_ROWS) return;
    after = keyParts(last.key);
  }
}

/** The leaves of the content tree, in the order of their keys; those of a page share its memory. */
export async function* contentLeaves(db: Database, epoch: number): AsyncGenerator<Leaf[]> {
  let after: Bytes = NOTHING;
  while (true) {
    const { rows: [page] } = await db.execute(contents.bind({ epoch, key: after, limit: PAGE_ROWS }));
    const leaves = unpack(page);
    yield leaves;
    const last = leaves.at(-1);
    if (last === undefined || leaves.length < PAGE_ROWS) return;
    after = last.key;
  }
}

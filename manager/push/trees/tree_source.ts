/** A tree over what is placed, as far as changes to its blocks need it. */
import { sql } from "kysely";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database, Statement } from "../../../shared/database/database.ts";
import { query } from "../../../shared/database/query.ts";
import { type BlockSource, closestBit } from "../../../shared/merkle/block_update.ts";
import { TOKEN_BYTES, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { isContentLeaf } from "../../store/covers.ts";
import { tables } from "../../store/tables.ts";
import { CONTENT_TREE, readBlocks } from "./blocks.ts";

/** Keys whose neighbours are looked up in one batch. */
const KEYS_AT_ONCE = 250;

type Place = { epoch: number; tbl: number; token: Bytes; number: number };
type Content = { epoch: number; key: Bytes };

const leafBefore = query((p: Place) =>
  tables.selectFrom("leaves").select(["token", "number"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where((e) => e(e.refTuple("token", "number"), "<", e.tuple(p.token, p.number)))
    .orderBy("token", "desc").orderBy("number", "desc").limit(1)
);
const leafAfter = query((p: Place) =>
  tables.selectFrom("leaves").select(["token", "number"]).where("epoch", "=", p.epoch).where("tbl", "=", p.tbl)
    .where((e) => e(e.refTuple("token", "number"), ">", e.tuple(p.token, p.number)))
    .orderBy("token").orderBy("number").limit(1)
);
const contentBefore = query((p: Content) =>
  tables.selectFrom("placed").select("content_key").where("epoch", "=", p.epoch)
    .where("content_key", "<", p.key).where(isContentLeaf(sql.ref("content_key"))).orderBy("content_key", "desc").limit(
      1,
    )
);
const contentAfter = query((p: Content) =>
  tables.selectFrom("placed").select("content_key").where("epoch", "=", p.epoch)
    .where("content_key", ">", p.key).where(isContentLeaf(sql.ref("content_key"))).orderBy("content_key").limit(1)
);

/** The tree of a table of the epoch, or its content tree, as it is placed. */
export function placedTree(db: Database, epoch: number, tbl: number): BlockSource {
  const neighboursOf = tbl === CONTENT_TREE ? contentNeighbours : leafNeighbours;
  return {
    async closest(keys) {
      const bits: number[] = [];
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
        const some = keys.slice(at, at + KEYS_AT_ONCE);
        const neighbours = await neighboursOf(db, { epoch, tbl }, some);
        some.forEach((key, i) => bits.push(closestBit(key, neighbours[i] ?? [])));
      }
      return bits;
    },
    blocks: (paths) => readBlocks(db, epoch, tbl, paths),
  };
}

async function leafNeighbours(
  db: Database,
  tree: { readonly epoch: number; readonly tbl: number },
  keys: readonly Bytes[],
): Promise<Bytes[][]> {
  const places = keys.map((key) => ({ ...tree, token: key.slice(0, TOKEN_BYTES), number: numberOf(key) }));
  const found = await inPairs(db, places.flatMap((place) => [leafBefore.bind(place), leafAfter.bind(place)]));
  return found.map((rows) => rows.map(({ token, number }) => treeKey(token, number)));
}

async function contentNeighbours(
  db: Database,
  { epoch }: { readonly epoch: number },
  keys: readonly Bytes[],
): Promise<Bytes[][]> {
  const found = await inPairs(
    db,
    keys.flatMap((key) => [contentBefore.bind({ epoch, key }), contentAfter.bind({ epoch, key })]),
  );
  return found.map((rows) => rows.map((row) => row.content_key));
}

/** What each two statements give. */
async function inPairs<R>(db: Database, statements: readonly Statement<R>[]): Promise<R[][]> {
  const results = await db.batch(statements);
  return Array.from(
    { length: results.length / 2 },
    (_, i) => [...results[2 * i]?.rows ?? [], ...results[2 * i + 1]?.rows ?? []],
  );
}

function numberOf(key: Bytes): number {
  return Number(new DataView(key.buffer, key.byteOffset + TOKEN_BYTES).getBigUint64(0));
}

/** What a manager's database keeps of its trees, beside what it has to be. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { encodeBlock } from "../../../shared/merkle/block.ts";
import type { Leaf } from "../../../shared/merkle/tree_hash.ts";
import { TABLE_NAMES, TABLES } from "../../../shared/protocol/tables.ts";
import { contentLeaves, placedLeaves } from "../../../manager/push/trees/placed.ts";
import { builtBlocks } from "../../shared/merkle/block_model.ts";

/** The blocks of all trees of the newest epoch, by table and path. */
export async function keptBlocks(db: Database): Promise<Map<string, Bytes>> {
  const sql = "SELECT tbl, path, block FROM blocks WHERE epoch = (SELECT max(epoch) FROM epochs) ORDER BY tbl, path";
  const { rows } = await db.execute<{ tbl: number; path: string; block: Bytes }>({ sql, params: [] });
  return new Map(rows.map(({ tbl, path, block }) => [`${tbl} ${path}`, block]));
}

/** Those that the builder makes of what is placed. */
export async function rebuiltBlocks(db: Database): Promise<Map<string, Bytes>> {
  const { rows: [newest] } = await db.execute<{ epoch: number }>({
    sql: "SELECT max(epoch) AS epoch FROM epochs",
    params: [],
  });
  const epoch = newest?.epoch ?? 0;
  const blocks: [string, Bytes][] = [];
  const put = async (tbl: number, pages: AsyncIterable<readonly Leaf[]>) => {
    const leaves = (await Array.fromAsync(pages)).flat();
    for (const [path, nodes] of builtBlocks(leaves)) blocks.push([`${tbl} ${path}`, encodeBlock(nodes)]);
  };
  await put(0, contentLeaves(db, epoch));
  for (const name of TABLE_NAMES) await put(TABLES[name], placedLeaves(db, epoch, TABLES[name]));
  return new Map(blocks.sort(([a], [b]) => a < b ? -1 : 1));
}

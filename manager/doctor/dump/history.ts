/** The nodes of the history in a dump, against the root that the head states (spec: TREE-06). */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { SHA256_BYTES } from "../../../shared/crypto/hash.ts";
import { query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import { historyInnerHash, historyRoot } from "../../../shared/merkle/history.ts";
import type { Head } from "../../../shared/protocol/head.ts";
import type { Dump } from "./open_dump.ts";
import { blob, dumpTables, integer } from "./schema.ts";

const PAGE_NODES = 1_000;

type Level = { readonly owner: number; readonly incarnation: Bytes; readonly level: number };

const nodes = query((p: Level & { readonly from: number; readonly limit: number }) =>
  dumpTables.selectFrom("history").select([integer("idx", "index"), blob("hash", SHA256_BYTES, "hash")])
    .where("owner", "=", p.owner).where("incarnation", "=", p.incarnation).where("level", "=", p.level)
    .where("idx", ">=", p.from).orderBy("idx").limit(p.limit)
);

/**
 * Checks every node that the head's history covers. What a push brought beyond that is not looked at.
 *
 * @param owner the owner's number in the dump
 * @returns how many nodes there are
 * @throws `withheld` when one is missing, `tampered` when one is another
 */
// spec: STORE-04, TREE-06
export async function verifyHistory(dump: Dump, owner: number, { incarnation, history }: Head): Promise<number> {
  const { size, root } = history;
  const frontier: Bytes[] = [];
  let count = 0;
  let below: Bytes | null = null;
  for (let level = 0, width = size; width > 0; level += 1, width = Math.floor(width / 2)) {
    const hashes: Bytes = await readLevel(dump, { owner, incarnation, level }, width);
    if (below !== null) requireAbove(hashes, below);
    // The last of an odd number has nothing beside it: it is one of the perfect subtrees that the tree consists of.
    if (width % 2 === 1) frontier.unshift(at(hashes, width - 1));
    count += width;
    below = hashes;
  }
  if (!equalBytes(historyRoot({ size, frontier }), root)) {
    throw new PosternError("tampered", "The nodes of the history are not those of the heads that the manager signed");
  }
  return count;
}

async function readLevel(dump: Dump, level: Level, width: number): Promise<Bytes> {
  const hashes = new Uint8Array(width * SHA256_BYTES);
  for (let from = 0; from < width; from += PAGE_NODES) {
    const limit = Math.min(PAGE_NODES, width - from);
    const { rows } = await dump.execute(nodes.bind({ ...level, from, limit }));
    for (let i = 0; i < limit; i++) {
      const node = rows[i];
      if (node === undefined || node.index !== from + i) {
        throw new PosternError("withheld", `The node ${from + i} of level ${level.level} of the history is not there`);
      }
      if (node.hash?.length !== SHA256_BYTES) throw otherNode(level.level, from + i);
      hashes.set(node.hash, (from + i) * SHA256_BYTES);
    }
  }
  return hashes;
}

function requireAbove(hashes: Bytes, below: Bytes): void {
  for (let i = 0; i < hashes.length / SHA256_BYTES; i++) {
    if (!equalBytes(at(hashes, i), historyInnerHash(at(below, 2 * i), at(below, 2 * i + 1)))) {
      throw new PosternError("tampered", "A node of the history is not that of the two below it");
    }
  }
}

function at(hashes: Bytes, index: number): Bytes {
  return hashes.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
}

function otherNode(level: number, index: number): PosternError {
  return new PosternError("tampered", `The node ${index} of level ${level} of the history is no hash`);
}

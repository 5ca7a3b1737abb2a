/** What the edge checks of the nodes of trees, and how the database takes them: their form only (spec: PUSH-13). Pure. */
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { decodeBlock } from "../../../shared/merkle/block.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { BLOCKS } from "../schema.ts";

/** Body of nodes, its shape checked. */
export interface NodesBody {
  /** Null for a block that is no more. */
  readonly blocks: readonly (readonly [table: TableNumber, path: string, block: Bytes | null])[];
  readonly history: readonly (readonly [level: number, index: number, hash: Bytes])[];
}

/** The same as a few large values and lists of numbers, however many nodes there are. */
export interface PackedNodes {
  /** All paths, one after the other. */
  readonly paths: Bytes;
  /** All blocks. */
  readonly bodies: Bytes;
  /** `[[table of blocks, offset of the path from 1, its length, offset of the block, its size]…]` as JSON; a size of 0 removes. */
  readonly places: string;
  readonly removed: number;
  /** 32 bytes each. */
  readonly hashes: Bytes;
  /** `[[level, index]…]` as JSON. */
  readonly historyPlaces: string;
}

/** Of no bytes at all SQLite would cut off NULL, and not the empty path. */
const LEADER = "/";

/**
 * Packs nodes.
 *
 * @throws `malformed` for a block that is none of its path; `conflict` for a path, or a place in the history, that comes twice
 */
export function packNodes({ blocks, history }: NodesBody): PackedNodes {
  const places: [number, number, number, number, number][] = [];
  const names = new Set<string>();
  let [path, body] = [1 + LEADER.length, 1];
  for (const [table, text, block] of blocks) {
    if (block !== null) decodeBlock(text, block);
    names.add(`${table} ${text}`);
    const size = block?.length ?? 0;
    places.push([table + BLOCKS, path, text.length, body, size]);
    path += text.length;
    body += size;
  }
  const historyNames = new Set(history.map(([level, index]) => `${level}/${index}`));
  if (names.size < blocks.length || historyNames.size < history.length) {
    throw new PosternError("conflict", "A node of a tree comes twice in one body");
  }
  return {
    paths: utf8(LEADER + blocks.map(([, text]) => text).join("")),
    bodies: concat(...blocks.flatMap(([, , block]) => block ?? [])),
    places: JSON.stringify(places),
    removed: blocks.filter(([, , block]) => block === null).length,
    hashes: concat(...history.map(([, , hash]) => hash)),
    historyPlaces: JSON.stringify(history.map(([level, index]) => [level, index])),
  };
}

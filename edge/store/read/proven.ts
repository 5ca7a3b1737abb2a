/** Lookups with the proof that nothing is missing (spec: READ-06, READ-09). */
import { type Bytes, compareBytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { Database } from "../../../shared/database/database.ts";
import {
  assembleProof,
  joinBlocks,
  leavesBeside,
  leavesShown,
  putBelow,
} from "../../../shared/merkle/assemble_proof.ts";
import { followKey, growBlock, type GrownBlock } from "../../../shared/merkle/grown_block.ts";
import { readNodes } from "../../../shared/merkle/block.ts";
import type { ProofNode } from "../../../shared/merkle/proof_node.ts";
import { KEY_BYTES, treeKey } from "../../../shared/merkle/tree_hash.ts";
import type { Principal } from "../principal.ts";
import type { BlockCache } from "./block_cache.ts";
import { type At, type BlockLine, selectBlock, selectBlocks, selectNeighbours } from "./blocks.ts";
import { cutPage } from "./page.ts";
import {
  answerOf,
  bodies,
  directionOf,
  type Line,
  type RowsAnswer,
  type RowsRequest,
  selectFirstRow,
  selectPage,
} from "./rows.ts";

export interface ProvenAnswer extends RowsAnswer {
  /** Null when the edge holds no blocks, or none that lead to these rows. */
  readonly proof: readonly ProofNode[] | null;
}

/**
 * Like `readRows`, with a proof. On a server that is one round trip; on a file it is as many questions as there are blocks that were
 * not read lately.
 *
 * @throws as `readRows`
 */
// spec: READ-06
export async function readProven(
  database: Database,
  cache: BlockCache,
  principal: Principal,
  request: RowsRequest,
  now: number,
): Promise<ProvenAnswer> {
  const { limit, epoch } = request;
  if (database.kind === "embedded") {
    const { rows: [line] } = await database.execute(selectFirstRow(principal, request));
    const more = line?.more === 1;
    // Of an epoch that has passed the answer does not tell which generation was read.
    if ((!more || limit === 1) && line?.epoch === epoch) {
      const answer = answerOf(line, bodies([line]), more);
      return { ...answer, proof: await proveFirst(database, cache, principal.owner, request, line, more) };
    }
  }
  const { table, token } = request;
  const { direction, number } = directionOf(request);
  const { low, high } = outside(request);
  const [{ rows: lines }, { rows: found }] = await database.batch([
    selectPage(principal, request, now),
    selectBlocks[direction].bind({ owner: principal.owner, epoch, now, table, token, number, limit, low, high }),
  ]);
  const { taken, more } = cutPage(lines, limit);
  const answer = answerOf(lines[0], bodies(taken), more);
  return { ...answer, proof: proofOf(claimOf(request, taken, more), neighboursIn(found), blocksIn(found)) };
}

/** What the answer claims (spec: READ-09). */
interface Claim {
  /** Keys of the rows, ascending. */
  readonly rows: readonly Bytes[];
  readonly lowest: Bytes;
  readonly highest: Bytes;
}

function claimOf(request: RowsRequest, lines: readonly Pick<Line, "number">[], more: boolean): Claim {
  const { token } = request;
  const keys = lines.flatMap(({ number }) => number === null ? [] : [treeKey(token, number)]);
  const end = more ? keys.at(-1) : undefined;
  if ("from" in request) {
    return { rows: keys, lowest: treeKey(token, request.from), highest: end ?? endOfList(token) };
  }
  // Below number 0 nothing is claimed: a range that ends before it begins.
  if (request.before === 0) return { rows: [], lowest: treeKey(token, 1), highest: treeKey(token, 0) };
  return { rows: keys.reverse(), lowest: end ?? treeKey(token, 0), highest: treeKey(token, request.before - 1) };
}

/** The last key that a row of the list could have. */
function endOfList(token: Bytes): Bytes {
  return concat(token, new Uint8Array(KEY_BYTES - token.length).fill(0xff));
}

/** Neighbours are below the one, and from the other on. */
function outside(request: RowsRequest): { low: number; high: number } {
  return "from" in request ? { low: request.from, high: Number.MAX_SAFE_INTEGER } : { low: 0, high: request.before };
}

/** Neighbours of a claim, ascending, as far as there are any. */
function neighboursIn(lines: readonly Pick<BlockLine, "token" | "number">[]): Bytes[] {
  return lines.flatMap(({ token, number }) => token === null || number === null ? [] : [treeKey(token, number)]);
}

function blocksIn(lines: readonly BlockLine[]): GrownBlock[] {
  return lines.flatMap(({ token, body }) => {
    const block = token === null || body === null ? null : readBlock(token, body);
    return block === null ? [] : [block];
  }).sort((a, b) => a.path < b.path ? -1 : 1);
}

const decoder = new TextDecoder();

function readBlock(path: Bytes, body: Bytes): GrownBlock | null {
  return growBlock(decoder.decode(path), readNodes(body));
}

/** The leaves that prove a claim: its rows, and of the neighbours those that are needed. */
function leavesOf(claim: Claim, neighbours: readonly Bytes[]): readonly Bytes[] {
  if (compareBytes(claim.lowest, claim.highest) > 0) return neighbours.slice(0, 1);
  const before = neighbours.findLast((key) => compareBytes(key, claim.lowest) < 0) ?? null;
  const after = neighbours.find((key) => compareBytes(key, claim.highest) > 0) ?? null;
  return leavesShown({ ...claim, before, after });
}

function proofOf(claim: Claim, neighbours: readonly Bytes[], blocks: readonly GrownBlock[]): ProofNode[] | null {
  const root = joinBlocks(blocks);
  if (root === null) return null;
  const rows = new Set(claim.rows);
  return assembleProof(root, leavesOf(claim, neighbours), (key) => rows.has(key));
}

/** A tree in a file: block by block, and most of them from memory. */
interface Tree {
  readonly database: Database;
  /** Null for one that is read for a single answer. */
  readonly cache: BlockCache | null;
  readonly at: At;
  readonly root: GrownBlock;
}

/** The proof of one row, or none, from a file. */
async function proveFirst(
  database: Database,
  cache: BlockCache,
  owner: Bytes,
  request: RowsRequest,
  line: Line,
  more: boolean,
): Promise<ProofNode[] | null> {
  const { space, generation } = line;
  if (space === null) return null;
  const { table } = request;
  const at = { owner, space, generation, table };
  const claim = claimOf(request, [line], more);
  const prove = async (cache: BlockCache | null) => {
    const root = cache?.root(at) ?? await readRoot(database, cache, at);
    if (root === null) return null;
    const leaves = await leavesIn({ database, cache, at, root }, request, line, claim);
    const [row] = claim.rows;
    return leaves === null ? null : assembleProof(root, leaves, (key) => key === row);
  };
  const { cuts } = cache;
  const proof = await prove(cache);
  // A way that was forgotten between reading and using it is read once more, where nobody forgets it.
  return proof === null && cache.cuts !== cuts ? await prove(null) : proof;
}

/** The leaves that prove a claim of one row or none, the ways to them known; null if the blocks do not lead there. */
async function leavesIn(tree: Tree, request: RowsRequest, line: Line, claim: Claim): Promise<readonly Bytes[] | null> {
  const [row] = claim.rows;
  if (row !== undefined && isWholeList(request, line)) return await readWay(tree, row) ? [row] : null;
  if (row === undefined) {
    const [low, high] = [leafAt(tree.root, claim.lowest), leafAt(tree.root, claim.highest)];
    if (low !== null && high !== null) return leavesBeside(claim.highest, low, high);
  }
  return await readLeaves(tree, request, claim);
}

/** The key of the leaf at the end of a way that is known; else null. */
function leafAt(root: GrownBlock, key: Bytes): Bytes | null {
  const end = followKey(root, key);
  return end !== null && "leaf" in end ? end.leaf.subarray(0, KEY_BYTES) : null;
}

/** Whether the row stands at the very beginning of what was asked for, so that no other row of the list can be next to the range. */
function isWholeList(request: RowsRequest, { number }: Line): boolean {
  if (number === null) return false;
  return "from" in request ? request.from === 0 || request.from === number : number === request.before - 1;
}

/** The leaves that prove a claim, after the ways to them were read; null if the blocks do not lead there. */
async function readLeaves(tree: Tree, request: RowsRequest, claim: Claim): Promise<readonly Bytes[] | null> {
  const { database, at } = tree;
  const { token } = request;
  const { rows } = await database.execute(selectNeighbours.bind({ ...at, token, ...outside(request) }));
  const leaves = leavesOf(claim, neighboursIn(rows));
  for (const leaf of leaves) if (!await readWay(tree, leaf)) return null;
  return leaves;
}

/** Reads the blocks on the way to a leaf that are not known; false if they do not lead there. */
async function readWay({ database, cache, at, root }: Tree, leaf: Bytes): Promise<boolean> {
  const way = toHex(leaf);
  for (let end = followKey(root, leaf); end !== null;) {
    if ("leaf" in end) return true;
    const { path: above } = end.above;
    const block = await readFrom(database, at, way.slice(0, above.length + 1));
    if (block === null || block.path.length <= above.length || !way.startsWith(block.path)) return false;
    if (end.missing.below === null) {
      putBelow(end, block);
      cache?.count(at);
    }
    // On from here and not from the root: what was just put may be forgotten again.
    end = followKey(end.missing.below ?? block, leaf);
  }
  return false;
}

/** The block of the empty path; null if there is none. */
async function readRoot(database: Database, cache: BlockCache | null, at: At): Promise<GrownBlock | null> {
  const root = await readFrom(database, at, "");
  if (root === null || root.path !== "") return null;
  cache?.keep(at, root);
  return root;
}

/** The first block from a path on; null if there is none. */
async function readFrom(database: Database, at: At, path: string): Promise<GrownBlock | null> {
  const { rows: [line] } = await database.execute(selectBlock.bind({ ...at, beginning: utf8(path) }));
  return line === undefined ? null : readBlock(line.token, line.body);
}

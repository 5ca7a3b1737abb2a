/** Proofs as the edge makes them, of rows that a tree has and of lists that it has not; of a tree only what they need is kept. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { assembleProof, joinBlocks, leavesShown } from "../../shared/merkle/assemble_proof.ts";
import { createBlocks } from "../../shared/merkle/block_builder.ts";
import { growBlock, type GrownBlock } from "../../shared/merkle/grown_block.ts";
import type { ProofNode } from "../../shared/merkle/proof_node.ts";
import { KEY_BYTES, type Leaf, TOKEN_BYTES, treeKey } from "../../shared/merkle/tree_hash.ts";
import type { RangeClaim } from "../../shared/merkle/verify_proof.ts";
import type { SortedRows } from "./sorted_rows.ts";

/** A whole list as it is answered, with its proof. */
export interface Proven {
  readonly claim: RangeClaim;
  readonly proof: readonly ProofNode[];
}

/** A tree as far as the ways of some keys go. */
export interface Ways {
  readonly root: Bytes;
  readonly top: GrownBlock;
}

/** Digits of a path that are looked at: no tree here is deeper. */
const DEEPEST = 16;

/** Builds the tree of the rows and keeps the blocks on the ways to the keys. */
export function keepWays(rows: SortedRows, keys: readonly Bytes[]): Ways {
  const wanted = new Set([""]);
  for (const key of keys) {
    const digits = toHex(key);
    for (let length = 1; length <= DEEPEST; length++) wanted.add(digits.slice(0, length));
  }
  const blocks: GrownBlock[] = [];
  const builder = createBlocks(({ path, nodes }) => {
    const block = wanted.has(path) ? growBlock(path, nodes) : null;
    if (block !== null) blocks.push(block);
  });
  for (let number = 0; number < rows.count; number++) builder.add(rows.at(number));
  const { root } = builder.finish();
  const top = joinBlocks(blocks.sort((a, b) => a.path < b.path ? -1 : 1));
  if (top === null) throw new Error("a tree without a top");
  return { root, top };
}

/** Proves that the row is all that its list has. */
export function provePresent({ top }: Ways, row: Leaf): Proven {
  return { claim: { ...wholeList(row.key), rows: [row] }, proof: made(assembleProof(top, [row.key], () => true)) };
}

/** Proves that the list of this token has nothing. */
export function proveAbsent({ top }: Ways, rows: SortedRows, token: Bytes): Proven {
  const list = wholeList(token);
  const leaves = leavesShown({ ...list, ...rows.beside(list.lowest), rows: [] });
  return { claim: { ...list, rows: [] }, proof: made(assembleProof(top, leaves, () => false)) };
}

/** The keys between which a list would stand that is not there. */
export function besideList(rows: SortedRows, token: Bytes): Bytes[] {
  const { before, after } = rows.beside(wholeList(token).lowest);
  return [before, after].filter((key) => key !== null);
}

/** Everything that could be in the list of a token, or of a key's token. */
function wholeList(key: Bytes): { lowest: Bytes; highest: Bytes } {
  const token = key.subarray(0, TOKEN_BYTES);
  return {
    lowest: treeKey(token, 0),
    highest: concat(token, new Uint8Array(KEY_BYTES - TOKEN_BYTES).fill(0xff)),
  };
}

function made(proof: ProofNode[] | null): ProofNode[] {
  if (proof === null) throw new Error("a proof that cannot be made");
  return proof;
}

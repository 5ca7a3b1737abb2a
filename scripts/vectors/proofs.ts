/** Examples of tree.md: the blocks of a table, proofs made from them, and paths in the history. */
import { type Bytes, compareBytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { assembleProof, joinBlocks, leavesShown } from "../../shared/merkle/assemble_proof.ts";
import { growBlock } from "../../shared/merkle/grown_block.ts";
import { type Block, encodeBlock } from "../../shared/merkle/block.ts";
import { createBlocks } from "../../shared/merkle/block_builder.ts";
import type { ProofNode } from "../../shared/merkle/proof_node.ts";
import { KEY_BYTES, type Leaf, TOKEN_BYTES, treeKey } from "../../shared/merkle/tree_hash.ts";
import type { RangeClaim } from "../../shared/merkle/verify_proof.ts";
import type { Step } from "./vector.ts";

/** What is asked for: a list from one number up to another, or to its end. */
interface Question {
  readonly name: string;
  readonly token: Bytes;
  readonly from: number;
  /** Null for the end of the list. */
  readonly to: number | null;
}

/**
 * @param leaves a table, sorted
 * @param list token of a list in it, with rows 0 to 3 and 9
 * @param nobodys token of no list
 */
export function proofSteps(leaves: readonly Leaf[], list: Bytes, nobodys: Bytes): Step[] {
  const questions: readonly Question[] = [
    { name: "proof of one row", token: list, from: 2, to: 2 },
    { name: "proof of a range", token: list, from: 1, to: 3 },
    { name: "proof of the end of a list", token: list, from: 3, to: null },
    { name: "proof of a whole list", token: list, from: 0, to: null },
    { name: "proof that a number is absent", token: list, from: 5, to: 5 },
    { name: "proof that a list is empty", token: nobodys, from: 0, to: null },
  ];
  const empty = { name: "proof in an empty table", token: list, from: 0, to: null };
  return [blockStep(leaves), ...questions.map((one) => proofStep(leaves, one)), proofStep([], empty)];
}

function blocksOf(leaves: readonly Leaf[]): { readonly blocks: readonly Block[]; readonly root: Bytes } {
  const blocks: Block[] = [];
  const builder = createBlocks((block) => blocks.push(block));
  for (const leaf of leaves) builder.add(leaf);
  const { root } = builder.finish();
  return { blocks: blocks.sort((a, b) => a.path < b.path ? -1 : 1), root };
}

function blockStep(leaves: readonly Leaf[]): Step {
  const { blocks } = blocksOf(leaves);
  return {
    name: "blocks",
    inputs: { leaves: leaves.map(({ key, rowHash }) => ({ key, rowHash })) },
    outputs: { blocks: blocks.map(({ path, nodes }) => ({ path, nodes, stored: encodeBlock(nodes) })) },
  };
}

function proofStep(leaves: readonly Leaf[], { name, token, from, to }: Question): Step {
  const range = { lowest: treeKey(token, from), highest: to === null ? endOf(token) : treeKey(token, to) };
  const { rows, proof, root } = proveRange(leaves, range);
  return {
    name,
    inputs: { ...range, rows: rows.map(({ key, rowHash }) => ({ key, rowHash })), root },
    outputs: { proof, encoded: encodeCbor(proof) },
  };
}

/** What a range of a table holds, and its proof. */
export function proveRange(
  leaves: readonly Leaf[],
  range: Pick<RangeClaim, "lowest" | "highest">,
): { readonly rows: readonly Leaf[]; readonly proof: readonly ProofNode[]; readonly root: Bytes } {
  const { blocks, root } = blocksOf(leaves);
  const isIn = ({ key }: Leaf) => compareBytes(range.lowest, key) <= 0 && compareBytes(key, range.highest) <= 0;
  const rows = leaves.filter(isIn);
  const keys = rows.map(({ key }) => key);
  const shown = leavesShown({
    ...{ rows: keys, ...range },
    before: leaves.findLast(({ key }) => compareBytes(key, range.lowest) < 0)?.key ?? null,
    after: leaves.find(({ key }) => compareBytes(key, range.highest) > 0)?.key ?? null,
  });
  const trees = blocks.flatMap(({ path, nodes }) => growBlock(path, nodes) ?? []);
  const top = joinBlocks(trees);
  const proof = top === null ? null : assembleProof(top, shown, (key) => keys.includes(key));
  if (proof === null) throw new Error("the blocks are not of these leaves");
  return { rows, proof, root };
}

function endOf(token: Bytes): Bytes {
  const key = new Uint8Array(KEY_BYTES).fill(0xff, TOKEN_BYTES);
  key.set(token);
  return key;
}

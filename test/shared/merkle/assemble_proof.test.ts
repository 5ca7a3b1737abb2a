import fc from "fast-check";
import { type Bytes, compareBytes, concat } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { assembleProof, joinBlocks, leavesBeside, leavesShown } from "../../../shared/merkle/assemble_proof.ts";
import { followKey, growBlock, type GrownBlock } from "../../../shared/merkle/grown_block.ts";
import type { BlockNode } from "../../../shared/merkle/block.ts";
import type { ProofNode } from "../../../shared/merkle/proof_node.ts";
import { type Leaf, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import { assert, assertEquals } from "../../assert.ts";
import { builtBlocks } from "./block_model.ts";
import { naiveProof, type Range, rowsIn, wideRanges } from "./proof_model.ts";
import { keys, leafSets, naiveStateRoot, sorted, tableLeaves } from "./state_tree_model.ts";

interface Question {
  readonly leaves: readonly Leaf[];
  readonly range: Range;
}

const questions: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ leaves: leafSets.map(sorted), range: wideRanges }),
  fc.tuple(fc.integer({ min: 1, max: 80 }), fc.nat(9), fc.nat(11), fc.nat(11)).map(([count, list, from, more]) => {
    const token = sha256(Uint8Array.of(list, 0, 0));
    return {
      leaves: tableLeaves(count),
      range: { lowest: treeKey(token, from), highest: treeKey(token, from + more) },
    };
  }),
);

/** The blocks that an edge reads: those on the way to some keys, and those between the first and the last row. */
function blocksFor(
  all: ReadonlyMap<string, readonly BlockNode[]>,
  leaves: readonly Bytes[],
  rows: readonly Bytes[],
): GrownBlock[] {
  const ways = leaves.map(toHex);
  const [first, last] = [hexOf(rows.at(0)), hexOf(rows.at(-1))];
  const isRead = (path: string) =>
    path === "" || ways.some((way) => way.startsWith(path)) || (first < path && path < last);
  return grown([...all].filter(([path]) => isRead(path)));
}

function hexOf(key: Bytes | undefined): string {
  return key === undefined ? "" : toHex(key);
}

function grown(blocks: readonly (readonly [string, readonly BlockNode[]])[]): GrownBlock[] {
  return blocks.toSorted(([a], [b]) => a < b ? -1 : 1).map(([path, nodes]) => {
    const block = growBlock(path, nodes);
    assert(block);
    return block;
  });
}

function assemble(
  leaves: readonly Bytes[],
  isRow: (key: Bytes) => boolean,
  blocks: readonly GrownBlock[],
): ProofNode[] | null {
  const root = joinBlocks(blocks);
  return root === null ? null : assembleProof(root, leaves, isRow);
}

function prove(
  { leaves, range }: Question,
  read: typeof blocksFor = blocksFor,
): { rows: Leaf[]; proof: ProofNode[] | null } {
  const rows = rowsIn(leaves, range);
  const before = leaves.findLast(({ key }) => compareBytes(key, range.lowest) < 0)?.key ?? null;
  const after = leaves.find(({ key }) => compareBytes(key, range.highest) > 0)?.key ?? null;
  const shown = rows.map(({ key }) => key);
  const needed = leavesShown({ ...range, rows: shown, before, after });
  const isRow = (key: Bytes) => shown.some((one) => compareBytes(one, key) === 0);
  return { rows, proof: assemble(needed, isRow, read(builtBlocks(leaves), needed, shown)) };
}

Deno.test("PROOF-01, PROOF-02: what assembleProof() makes of blocks verifies, whatever the range", () => {
  fc.assert(
    fc.property(questions, (question) => {
      const { rows, proof } = prove(question);
      assert(proof);
      verifyProof(proof, { ...question.range, rows }, naiveStateRoot(question.leaves));
    }),
    { numRuns: 400 },
  );
});

Deno.test("assembleProof() makes the same of more blocks than it needs", () => {
  fc.assert(fc.property(questions, (question) => {
    const { proof } = prove(question, (all) => grown([...all]));
    assertEquals(proof, prove(question).proof);
  }));
});

Deno.test("assembleProof() shows no more leaves than the range needs", () => {
  fc.assert(fc.property(questions, (question) => {
    const [{ proof }, smallest] = [prove(question), naiveProof(question.leaves, question.range)];
    assert(proof);
    const leavesIn = (nodes: readonly ProofNode[]) => nodes.filter((node) => node === null || isLeaf(node)).length;
    assertEquals(leavesIn(proof), leavesIn(smallest));
  }));
});

function isLeaf(node: ProofNode): boolean {
  return node instanceof Uint8Array && node.length === 72;
}

Deno.test("assembleProof() proves a list page by page, upwards and downwards", () => {
  const leaves = tableLeaves(60);
  const root = naiveStateRoot(leaves);
  const token = sha256(Uint8Array.of(2, 0, 0));
  for (let first = 0; first < 10; first++) {
    for (let last = first; last < 10; last++) {
      const range = { lowest: treeKey(token, first), highest: treeKey(token, last) };
      const { rows, proof } = prove({ leaves, range });
      assertEquals(rows.length, last - first + 1);
      assert(proof);
      verifyProof(proof, { ...range, rows }, root);
    }
  }
});

Deno.test("PROOF-02: of a range without rows, the ways of its bounds end at the leaves that prove it", () => {
  fc.assert(
    fc.property(questions, ({ leaves, range }) => {
      if (leaves.length === 0 || rowsIn(leaves, range).length > 0) return;
      const root = joinBlocks(grown([...builtBlocks(leaves)]));
      assert(root);
      const [low, high] = [followKey(root, range.lowest), followKey(root, range.highest)];
      assert(low !== null && high !== null && "leaf" in low && "leaf" in high);
      const needed = leavesBeside(range.highest, low.leaf.subarray(0, 40), high.leaf.subarray(0, 40));
      const proof = assembleProof(root, needed, () => false);
      assert(proof);
      verifyProof(proof, { ...range, rows: [] }, naiveStateRoot(leaves));
    }),
    { numRuns: 400 },
  );
});

Deno.test("assembleProof() gives null for blocks that do not lead to the leaves", () => {
  const leaves = tableLeaves(60);
  const all = builtBlocks(leaves);
  const [some, other] = [leaves[7], leaves[30]];
  assert(some && other);
  // Anew each time: putting them together changes them.
  const blocks = () => grown([...all]);
  const isRow = () => true;
  assert(assemble([some.key], isRow, blocks()));
  assertEquals(assemble([some.key], isRow, []), null, "no block");
  assertEquals(assemble([some.key], isRow, blocks().slice(1)), null, "no block of the empty path");
  assertEquals(assemble([some.key], isRow, blocks().slice(0, 1)), null, "nothing below it");
  assertEquals(assemble([], isRow, blocks()), null, "a table that is not empty");
  assertEquals(assemble([some.key], isRow, grown([["", []]])), null, "an empty table");
  assertEquals(assemble([concat(some.key.subarray(0, 39), Uint8Array.of(99))], isRow, blocks()), null, "no leaf");
  const swapped = [...all].map(([path, nodes]) => [path, path === "" ? nodes : all.get("") ?? []] as const);
  assertEquals(assemble([some.key, other.key], isRow, grown(swapped)), null, "other blocks under these paths");
});

Deno.test("assembleProof() and growBlock() answer for any nodes", () => {
  const node = fc.oneof(
    fc.nat(330),
    fc.constantFrom(32, 72).map((length) => new Uint8Array(length)),
    keys.map((key) => concat(key, new Uint8Array(32))),
  );
  const blocks = fc.array(fc.tuple(fc.constantFrom("", "0", "8", "00", "f0", "000"), fc.array(node, { maxLength: 8 })));
  fc.assert(fc.property(blocks, fc.array(keys, { maxLength: 3 }), (some, leaves) => {
    const trees = some.map(([path, nodes]) => growBlock(path, nodes)).filter((tree) => tree !== null);
    assemble(leaves.toSorted(compareBytes), () => false, trees);
  }));
});

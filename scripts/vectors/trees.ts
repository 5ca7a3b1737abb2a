/** Example of tree.md: roots of tables, content leaves, the history tree. */
import { type Bytes, compareBytes, EMPTY } from "../../shared/bytes/bytes.ts";
import { appendToHistory, EMPTY_HISTORY, historyRoot } from "../../shared/merkle/history.ts";
import { proveInclusion } from "../../shared/merkle/history_proofs.ts";
import { rootOfSorted } from "../../shared/merkle/sorted_root.ts";
import { type Leaf, leafHash, treeKey } from "../../shared/merkle/tree_hash.ts";
import { contentLeaf } from "../../shared/protocol/plaintexts.ts";
import { seeded } from "./fixed.ts";
import type { Household } from "./household.ts";
import { proofSteps } from "./proofs.ts";
import { exampleRows } from "./rows.ts";
import type { Example, Step } from "./vector.ts";

export async function treesExample(household: Household): Promise<Example> {
  const random = seeded("postern example tree");
  const token = random(32);
  const leaves: Leaf[] = [0, 1, 2, 3, 9].map((number) => ({ key: treeKey(token, number), rowHash: random(32) }));
  leaves.push(...Array.from({ length: 3 }, () => ({ key: treeKey(random(32), 0), rowHash: random(32) })));
  leaves.sort((a, b) => compareBytes(a.key, b.key));
  const steps = [0, 1, 2, 3, leaves.length].map((count): Step => {
    const some = leaves.slice(0, count);
    return {
      name: `table of ${count} rows`,
      inputs: { leaves: some.map(({ key, rowHash }) => ({ key, rowHash })) },
      outputs: { leafHashes: some.map(({ key, rowHash }) => leafHash(key, rowHash)), root: rootOfSorted(some).root },
    };
  });
  return {
    page: "tree.md",
    about:
      "Roots of sets of rows, the content tree over the rows of rows.json, the history of some heads, and proofs in them.",
    steps: [...steps, await contentStep(household), ...historySteps(random), ...proofSteps(leaves, token, random(32))],
  };
}

async function contentStep(household: Household): Promise<Step> {
  const rows = (await exampleRows(household)).filter(({ list }) => list.kind !== "generations");
  const leaves = rows.map(({ list, number, plaintext }) => contentLeaf(list, number, plaintext))
    .sort((a, b) => compareBytes(a.key, b.key));
  const { root } = rootOfSorted(leaves.map(({ key, value }) => ({ key, rowHash: value })));
  return {
    name: "content tree",
    inputs: {
      rows: rows.map(({ list, number, plaintext }) => ({ kind: list.kind, name: list.name, number, plaintext })),
    },
    outputs: { leaves: leaves.map(({ key, value }) => ({ key, value })), root },
  };
}

function historySteps(random: (length: number) => Bytes): Step[] {
  const heads = Array.from({ length: 5 }, () => random(32));
  let history = EMPTY_HISTORY;
  const roots = [historyRoot(history)];
  const nodes = new Map<string, Bytes>();
  for (const head of heads) {
    const appended = appendToHistory(history, head);
    history = appended.history;
    roots.push(historyRoot(history));
    for (const { level, index, hash } of appended.nodes) nodes.set(`${level}/${index}`, hash);
  }
  const read = (level: number, index: number) => nodes.get(`${level}/${index}`) ?? EMPTY;
  const paths = heads.map((_, index) => proveInclusion(index, heads.length, read));
  return [
    { name: "history tree", inputs: { headHashes: heads }, outputs: { rootsBySize: roots } },
    { name: "paths in the history", inputs: { headHashes: heads }, outputs: { pathsByNumber: paths } },
  ];
}

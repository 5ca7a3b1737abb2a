import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { appendToHistory, EMPTY_HISTORY, type History, historyLeafHash } from "../../../shared/merkle/history.ts";
import { proveInclusion, type ReadHistoryNode, verifyInclusion } from "../../../shared/merkle/history_proofs.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { makeLeaves, naiveRoot } from "./history_model.ts";

/** A reader of all perfect subtrees over the leaves, filled by appending alone. */
function readerOf(leaves: readonly Bytes[]): ReadHistoryNode {
  const nodes = new Map<string, Bytes>();
  let history: History = EMPTY_HISTORY;
  for (const leaf of leaves) {
    const appended = appendToHistory(history, leaf);
    history = appended.history;
    for (const { level, index, hash } of appended.nodes) nodes.set(`${level}/${index}`, hash);
  }
  return (level, index) => {
    const hash = nodes.get(`${level}/${index}`);
    assert(hash !== undefined, `asked for ${level}/${index}, which is not perfect`);
    return hash;
  };
}

/** The leaves and proofs of the reference tests of RFC 6962's authors. */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const H = {
  leaf0: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  leaf1: "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
  leaf4: "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  first2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  leaves2to3: "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
  first4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  leaves6to7: "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
  leaves4to7: "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
};
const INCLUSION: readonly { index: number; size: number; path: readonly string[] }[] = [
  { index: 0, size: 1, path: [] },
  { index: 0, size: 8, path: [H.leaf1, H.leaves2to3, H.leaves4to7] },
  { index: 5, size: 8, path: [H.leaf4, H.leaves6to7, H.first4] },
  { index: 2, size: 3, path: [H.first2] },
  { index: 1, size: 5, path: [H.leaf0, H.leaves2to3, H.leaf4] },
];

Deno.test("TREE-06: proveInclusion() gives the paths of RFC 6962's reference tests", () => {
  const read = readerOf(LEAVES.map(fromHex));
  for (const { index, size, path } of INCLUSION) {
    assertEquals(proveInclusion(index, size, read).map(toHex), [...path], `${index} of ${size}`);
  }
});

const LARGEST = 40;
const leaves = makeLeaves(LARGEST);
const read = readerOf(leaves);
const roots = Array.from({ length: LARGEST + 1 }, (_, size) => naiveRoot(leaves.slice(0, size)));

function inclusionClaim(index: number, size: number) {
  const [leaf, root] = [leaves[index], roots[size]];
  assert(leaf && root);
  return { index, size, leafHash: historyLeafHash(leaf), root };
}

Deno.test("TREE-06: verifyInclusion() accepts every leaf of every size, and no other place for it", () => {
  for (let size = 1; size <= LARGEST; size++) {
    for (let index = 0; index < size; index++) {
      const claim = inclusionClaim(index, size);
      const proof = proveInclusion(index, size, read);
      verifyInclusion(claim, proof);
      for (const other of [index - 1, index + 1, index ^ 1, size]) {
        if (other !== index) assertThrows(() => verifyInclusion({ ...claim, index: other }, proof), "tampered");
      }
    }
  }
});

/** All that can be done to a proof in one step. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(255) }),
  fc.record({ kind: fc.constant("drop" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("add" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("swap" as const), at: fc.nat() }),
);

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** The damaged proof; undefined where the damage changes nothing. */
function apply(proof: readonly Bytes[], how: Damage): Bytes[] | undefined {
  const copy = proof.map((hash) => hash.slice());
  const at = copy.length === 0 ? 0 : how.at % copy.length;
  if (how.kind === "add") return copy.toSpliced(at, 0, historyLeafHash(Uint8Array.of(at)));
  const hash = copy[at];
  if (hash === undefined) return undefined;
  if (how.kind === "drop") return copy.toSpliced(at, 1);
  if (how.kind === "flip") hash[how.bit >> 3] = (hash[how.bit >> 3] ?? 0) ^ (1 << (how.bit & 7));
  const next = copy[at + 1];
  if (how.kind === "swap") {
    if (next === undefined) return undefined;
    [copy[at], copy[at + 1]] = [next, hash];
  }
  return copy;
}

Deno.test("TREE-06: verifyInclusion() throws tampered when a proof is damaged anywhere", () => {
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: LARGEST }), damage, (some, size, how) => {
    const index = some % size;
    const proof = apply(proveInclusion(index, size, read), how);
    if (proof) assertThrows(() => verifyInclusion(inclusionClaim(index, size), proof), "tampered");
  }));
});

Deno.test("verifyInclusion() throws tampered for sizes that are no sizes", () => {
  for (const size of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => verifyInclusion({ ...inclusionClaim(0, 1), size }, []), "tampered");
  }
});

Deno.test("proofs hold for sizes beyond 32 bits", () => {
  const size = 2 ** 40 + 5;
  const same = historyLeafHash(Uint8Array.of(7));
  const path = proveInclusion(2 ** 40 + 4, size, () => same);
  assertEquals(path.length, 2);
});

Deno.test("proveInclusion() throws usage for what is not there", () => {
  assertThrows(() => proveInclusion(3, 3, read), "usage");
  assertThrows(() => proveInclusion(-1, 3, read), "usage");
});

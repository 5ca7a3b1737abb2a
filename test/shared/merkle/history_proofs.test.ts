import fc from "fast-check";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { appendToHistory, EMPTY_HISTORY, type History, historyLeafHash } from "../../../shared/merkle/history.ts";
import {
  proveConsistency,
  proveInclusion,
  type ReadHistoryNode,
  verifyConsistency,
  verifyInclusion,
} from "../../../shared/merkle/history_proofs.ts";
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
  leaves4to5: "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
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
const CONSISTENCY: readonly { from: number; to: number; path: readonly string[] }[] = [
  { from: 1, to: 1, path: [] },
  { from: 1, to: 8, path: [H.leaf1, H.leaves2to3, H.leaves4to7] },
  { from: 6, to: 8, path: [H.leaves4to5, H.leaves6to7, H.first4] },
  { from: 2, to: 5, path: [H.leaves2to3, H.leaf4] },
];

Deno.test("TREE-06: proveInclusion() gives the paths of RFC 6962's reference tests", () => {
  const read = readerOf(LEAVES.map(fromHex));
  for (const { index, size, path } of INCLUSION) {
    assertEquals(proveInclusion(index, size, read).map(toHex), [...path], `${index} of ${size}`);
  }
});

Deno.test("TREE-06: proveConsistency() gives the paths of RFC 6962's reference tests", () => {
  const read = readerOf(LEAVES.map(fromHex));
  for (const { from, to, path } of CONSISTENCY) {
    assertEquals(proveConsistency(from, to, read).map(toHex), [...path], `${from} to ${to}`);
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

function headAt(size: number) {
  const root = roots[size];
  assert(root);
  return { size, root };
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

Deno.test("TREE-06: verifyConsistency() accepts every pair of sizes, and no other older size", () => {
  for (let to = 0; to <= LARGEST; to++) {
    for (let from = 0; from <= to; from++) {
      const proof = proveConsistency(from, to, read);
      verifyConsistency(headAt(from), headAt(to), proof);
      if (from > 0 && from < to) {
        assertThrows(() => verifyConsistency({ ...headAt(from), size: from + 1 }, headAt(to), proof), "tampered");
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

Deno.test("TREE-06: verifyConsistency() throws tampered when a proof is damaged anywhere", () => {
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: LARGEST }), damage, (some, to, how) => {
    const from = some % (to + 1);
    const proof = apply(proveConsistency(from, to, read), how);
    if (proof) assertThrows(() => verifyConsistency(headAt(from), headAt(to), proof), "tampered");
  }));
});

Deno.test("TREE-06: verifyConsistency() throws tampered for a history that was rewritten", () => {
  const rewritten = leaves.map((leaf, i) => i === 11 ? historyLeafHash(leaf) : leaf);
  const other = readerOf(rewritten);
  for (const [from, to] of [[12, 12], [12, 30], [16, 32], [31, 40]] as const) {
    const newer = { size: to, root: naiveRoot(rewritten.slice(0, to)) };
    assertThrows(() => verifyConsistency(headAt(from), newer, proveConsistency(from, to, other)), "tampered");
  }
});

Deno.test("verifyInclusion() and verifyConsistency() throw tampered for sizes that are no sizes", () => {
  for (const size of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => verifyInclusion({ ...inclusionClaim(0, 1), size }, []), "tampered");
    assertThrows(() => verifyConsistency({ ...headAt(1), size }, headAt(1), []), "tampered");
  }
  // Half a head before one head, whose root is its own proof.
  assertThrows(() => verifyConsistency({ ...headAt(1), size: 0.5 }, headAt(1), [headAt(1).root]), "tampered");
  assertThrows(() => verifyConsistency(headAt(3), headAt(2), []), "tampered");
});

Deno.test("proofs hold for sizes beyond 32 bits", () => {
  const size = 2 ** 40 + 5;
  const same = historyLeafHash(Uint8Array.of(7));
  const path = proveInclusion(2 ** 40 + 4, size, () => same);
  assertEquals(path.length, 2);
  assertEquals(proveConsistency(2 ** 40, size, () => same).length, 1);
});

Deno.test("proveInclusion() and proveConsistency() throw usage for what is not there", () => {
  assertThrows(() => proveInclusion(3, 3, read), "usage");
  assertThrows(() => proveInclusion(-1, 3, read), "usage");
  assertThrows(() => proveConsistency(4, 3, read), "usage");
  assertThrows(() => proveConsistency(-1, 3, read), "usage");
  assertThrows(() => proveConsistency(1, 2.5, read), "usage");
});

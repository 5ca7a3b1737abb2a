import fc from "fast-check";
import { type Bytes, compareBytes } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { sha256, SHA256_BYTES } from "../../../shared/crypto/hash.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { leafNode, leafOf, type ProofNode } from "../../../shared/merkle/proof_node.ts";
import { EMPTY_ROOT, innerHash, type Leaf, leafHash, treeKey } from "../../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { naiveProof, type Range, rowsIn, wholeList, wideRanges } from "./proof_model.ts";
import { keys, leafSets, naiveStateRoot, rowHashes, sorted, splitLeaves, tableLeaves } from "./state_tree_model.ts";

/** A table, a range of its keys, and what an honest edge answers. */
interface Honest {
  readonly leaves: readonly Leaf[];
  readonly range: Range;
  readonly rows: readonly Leaf[];
  readonly proof: readonly ProofNode[];
  readonly root: Bytes;
}

function answer(leaves: readonly Leaf[], range: Range): Honest {
  return { leaves, range, rows: rowsIn(leaves, range), proof: naiveProof(leaves, range), root: naiveStateRoot(leaves) };
}

function verify({ range, rows, proof, root }: Omit<Honest, "leaves">): void {
  verifyProof(proof, { ...range, rows }, root);
}

/** Ranges of one key, of a list, and of anything else. */
const ranges: fc.Arbitrary<Range> = fc.oneof(
  { weight: 1, arbitrary: keys.map((key) => ({ lowest: key, highest: key })) },
  { weight: 3, arbitrary: wideRanges },
);

const honest: fc.Arbitrary<Honest> = fc.oneof(
  fc.tuple(leafSets, ranges).map(([leaves, range]) => answer(sorted(leaves), range)),
  fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat(3)).map(([count, at, around]) => {
    const leaves = tableLeaves(count);
    const [first, last] = [leaves[at % count], leaves[Math.min(at % count + around, count - 1)]];
    assert(first && last);
    return answer(leaves, { lowest: first.key, highest: last.key });
  }),
);

const runs = { numRuns: 250 };

Deno.test("PROOF-01, PROOF-02: verifyProof() accepts every honest answer, whatever the range", () => {
  fc.assert(fc.property(honest, verify), runs);
});

Deno.test("PROOF-01: verifyProof() accepts a proof that shows more of the tree than it needs", () => {
  const everything = { lowest: new Uint8Array(40), highest: new Uint8Array(40).fill(255) };
  fc.assert(
    fc.property(honest, ({ leaves, range, rows, root }) => {
      const shown = new Set(rows);
      verify({ range, rows, proof: naiveProof(leaves, everything, (leaf) => shown.has(leaf)), root });
    }),
    runs,
  );
});

Deno.test("PROOF-02: verifyProof() throws withheld for a row of the range that is passed off as a bound", () => {
  fc.assert(
    fc.property(honest, fc.nat(), ({ leaves, range, rows, root }, at) => {
      const left = without(rows, at);
      if (left === undefined) return;
      const proof = naiveProof(leaves, range, (leaf) => left.includes(leaf));
      assertThrows(() => verify({ range, rows: left, proof, root }), "withheld");
    }),
    runs,
  );
});

Deno.test("PROOF-02: verifyProof() never accepts a proof that prunes a row of the range", () => {
  fc.assert(
    fc.property(honest, fc.nat(), ({ leaves, range, rows, root }, at) => {
      const left = without(rows, at);
      if (left === undefined) return;
      const honestly = naiveProof(leaves, range, (leaf) => left.includes(leaf));
      const proof = honestly.map((node) => hashOf(node, rows) ?? node);
      const error = refusalOf(() => verify({ range, rows: left, proof, root }));
      // Where no leaf is left beside what is pruned, it is bounded by nothing.
      assert(error === "withheld" || error === "tampered", error);
    }),
    runs,
  );
});

function without(rows: readonly Leaf[], at: number): Leaf[] | undefined {
  return rows.length === 0 ? undefined : rows.toSpliced(at % rows.length, 1);
}

/** The leaf hash of a node that is one of these leaves. */
function hashOf(node: ProofNode, leaves: readonly Leaf[]): Bytes | undefined {
  const leaf = leaves.find((one) => node instanceof Uint8Array && compareBytes(leafNode(one), node) === 0);
  return leaf && naiveStateRoot([leaf]);
}

function refusalOf(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    if (isPosternError(error)) return error.code;
    throw error;
  }
  return undefined;
}

/** All that can be done to a proof in one step. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(8 * 72) }),
  fc.record({
    kind: fc.constantFrom("drop" as const, "twice" as const, "swap" as const, "null" as const),
    at: fc.nat(),
  }),
  fc.record({ kind: fc.constant("put" as const), at: fc.nat(), node: fc.oneof(fc.nat(400), rowHashes, keys) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
);

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** The damaged proof; undefined where the damage changes nothing. */
function apply(proof: readonly ProofNode[], how: Damage): ProofNode[] | undefined {
  if (how.kind === "put") return proof.toSpliced(how.at % (proof.length + 1), 0, how.node);
  const at = how.at % Math.max(proof.length, 1);
  const node = proof[at];
  if (node === undefined) return undefined;
  if (how.kind === "drop") return proof.toSpliced(at, 1);
  if (how.kind === "twice") return proof.toSpliced(at, 0, node);
  if (how.kind === "cut") return proof.slice(0, at);
  if (how.kind === "null") return node === null ? undefined : proof.with(at, null);
  if (how.kind === "swap") {
    const next = proof[at + 1];
    return next === undefined || isSame(node, next) ? undefined : proof.with(at, next).with(at + 1, node);
  }
  if (node === null || how.kind !== "flip") return undefined;
  if (typeof node === "number") return proof.with(at, node ^ (1 << (how.bit % 9)));
  const copy = node.slice();
  const bit = how.bit % (8 * copy.length);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return proof.with(at, copy);
}

function isSame(a: ProofNode, b: ProofNode): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b) === 0;
  return a === b;
}

Deno.test("PROOF-01: verifyProof() throws tampered for a proof that is damaged anywhere", () => {
  fc.assert(
    fc.property(honest, damage, (one, how) => {
      const proof = apply(one.proof, how);
      // The empty proof is that of the empty table.
      if (proof !== undefined) assertThrows(() => verify({ ...one, proof }), "tampered");
    }),
    { numRuns: 600 },
  );
});

Deno.test("PROOF-01: verifyProof() throws tampered for rows that are changed, left out or added, and for a foreign root", () => {
  fc.assert(
    fc.property(honest, fc.nat(), rowHashes, (one, at, other) => {
      assertThrows(() => verify({ ...one, root: sha256(one.root) }), "tampered");
      const extra = { key: one.range.highest, rowHash: other };
      assertThrows(() => verify({ ...one, rows: [...one.rows, extra] }), "tampered");
      const index = at % Math.max(one.rows.length, 1);
      const row = one.rows[index];
      if (row === undefined) return;
      assertThrows(() => verify({ ...one, rows: one.rows.toSpliced(index, 1) }), "tampered");
      const changed = { ...row, rowHash: sha256(row.rowHash) };
      assertThrows(() => verify({ ...one, rows: one.rows.with(index, changed) }), "tampered");
      if (one.rows.length > 1) assertThrows(() => verify({ ...one, rows: one.rows.toReversed() }), "tampered");
    }),
    runs,
  );
});

Deno.test("PROOF-02: verifyProof() throws withheld for a proof of another range, wherever that hides something", () => {
  fc.assert(
    fc.property(honest, ranges, (one, other) => {
      const hidden = rowsIn(one.leaves, other).filter((row) => !one.rows.includes(row));
      if (hidden.length > 0) assertThrows(() => verify({ ...one, range: other }), "withheld");
    }),
    runs,
  );
});

Deno.test("PROOF-02: verifyProof() throws withheld when the newest or the first rows of a list are cut off its range", () => {
  const leaves = tableLeaves(40);
  const [first] = leaves;
  assert(first);
  const token = first.key.slice(0, 32);
  const list = answer(leaves, wholeList(token));
  assertEquals(list.rows.length, 10);
  verify(list);
  for (const [from, to] of [[0, 8], [1, 9], [3, 5]] as const) {
    const part = answer(leaves, { lowest: treeKey(token, from), highest: treeKey(token, to) });
    verify(part);
    assertThrows(() => verify({ ...part, range: list.range }), "withheld");
  }
});

Deno.test("PROOF-01, PROOF-02: verifyProof() tells a table of no row and of one row apart from every other", () => {
  const [leaf, other] = tableLeaves(2);
  assert(leaf && other);
  const range = { lowest: leaf.key, highest: leaf.key };
  verifyProof([], { ...range, rows: [] }, EMPTY_ROOT);
  assertThrows(() => verifyProof([], { ...range, rows: [leaf] }, EMPTY_ROOT), "tampered");
  const root = naiveStateRoot([leaf]);
  verifyProof([null], { ...range, rows: [leaf] }, root);
  assertThrows(() => verifyProof([], { ...range, rows: [] }, root), "tampered");
  assertThrows(() => verifyProof([leafNode(leaf)], { ...range, rows: [] }, root), "withheld");
  assertThrows(() => verifyProof([root], { ...range, rows: [] }, root), "tampered");
  assertThrows(() => verifyProof([7], { ...range, rows: [] }, EMPTY_ROOT), "tampered");
  verifyProof([leafNode(leaf)], { lowest: other.key, highest: other.key, rows: [] }, root);
});

Deno.test("PROOF-02: verifyProof() throws tampered where both sides of a node are pruned, even outside of the range", () => {
  const leaves = tableLeaves(40);
  const [first] = leaves;
  assert(first);
  const root = naiveStateRoot(leaves);
  const { bit, zero, one } = splitLeaves(leaves);
  const range = { lowest: first.key, highest: first.key };
  const shown = naiveProof(zero, range);
  verifyProof([bit, ...shown, naiveStateRoot(one)], { ...range, rows: [first] }, root);
  const right = splitLeaves(one);
  const unbounded = [right.bit, naiveStateRoot(right.zero), naiveStateRoot(right.one)];
  assertThrows(() => verifyProof([bit, ...shown, ...unbounded], { ...range, rows: [first] }, root), "tampered");
  const nothing = [bit, naiveStateRoot(zero), naiveStateRoot(one)];
  assertThrows(() => verifyProof(nothing, { ...range, rows: [] }, root), "tampered");
});

Deno.test("PROOF-02: verifyProof() knows to the key what a pruned side can hold", () => {
  const bit = 12;
  const prefix = "101001010011";
  const pruned = sha256(Uint8Array.of(1));
  for (const side of [0, 1]) {
    const first = BigInt(`0b${`${prefix}${side}`.padEnd(320, "0")}`);
    const last = BigInt(`0b${`${prefix}${side}`.padEnd(320, "1")}`);
    const shown = leafNode({ key: keyOf(BigInt(`0b${`${prefix}${1 - side}`.padEnd(320, "01")}`)), rowHash: pruned });
    const proof = side === 0 ? [bit, pruned, shown] : [bit, shown, pruned];
    const lookFor = (lowest: bigint, highest: bigint) =>
      verifyProof(proof, { lowest: keyOf(lowest), highest: keyOf(highest), rows: [] }, hashOfNodes(proof));
    for (const key of [first, last, (first + last) / 2n]) assertThrows(() => lookFor(key, key), "withheld");
    assertThrows(() => lookFor(first - 1n, first), "withheld");
    assertThrows(() => lookFor(last, last + 1n), "withheld");
    lookFor(first - 1n, first - 1n);
    lookFor(last + 1n, last + 1n);
  }
});

function keyOf(number: bigint): Bytes {
  return fromHex(number.toString(16).padStart(80, "0"));
}

Deno.test("PROOF-01: verifyProof() throws tampered for bits that are none, or do not rise", () => {
  const [a, b] = tableLeaves(12).filter((_, index) => index % 10 === 0);
  assert(a && b);
  const range = { lowest: a.key, highest: a.key };
  for (const bit of [-1, 320, 0.5, NaN, 2 ** 32]) {
    assertThrows(() => verifyProof([bit, null, leafNode(b)], { ...range, rows: [a] }, EMPTY_ROOT), "tampered");
  }
  const proof = [3, 3, null, leafNode(b), a.rowHash];
  assertThrows(() => verifyProof(proof, { ...range, rows: [a] }, EMPTY_ROOT), "tampered");
});

Deno.test("PROOF-01: verifyProof() throws tampered for bytes that are neither hash nor leaf", () => {
  const nothing = { lowest: new Uint8Array(40), highest: new Uint8Array(40), rows: [] };
  for (const length of [0, 31, 33, 40, 71, 73, 144]) {
    assertThrows(() => verifyProof([new Uint8Array(length)], nothing, EMPTY_ROOT), "tampered");
  }
});

Deno.test("PROOF-03: verifyProof() looks at no more than 4,096 nodes", () => {
  const leaves = tableLeaves(2_100);
  const one = answer(leaves, { lowest: new Uint8Array(40), highest: new Uint8Array(40).fill(255) });
  assertEquals(one.proof.length, 4_199);
  assertThrows(() => verify(one), "tampered");
  const most = answer(leaves.slice(0, 2_048), one.range);
  assertEquals(most.proof.length, 4_095);
  verify(most);
});

/** The hash that an array of nodes comes to, whatever it is: what a manager gone wrong might have signed. */
function hashOfNodes(nodes: readonly ProofNode[]): Bytes {
  let at = 0;
  const next = (): Bytes => {
    const node = nodes[at++];
    if (node === undefined || node === null) throw new Error("The test made a tree that is not whole");
    if (typeof node === "number") return innerHash(node, next(), next());
    const { key, rowHash } = leafOf(node);
    return node.length === SHA256_BYTES ? node : leafHash(key, rowHash);
  };
  return next();
}

Deno.test("PROOF-01: verifyProof() throws tampered for what is no tree, even where its hash is signed", () => {
  // Named by their first bits.
  const [l00, l01, l10, l11] = [0b0000_0000, 0b0100_0000, 0b1000_0000, 0b1100_0000].map((first) =>
    leafNode({ key: Uint8Array.from({ length: 40 }, (_, at) => at === 0 ? first : 1), rowHash: new Uint8Array(32) })
  );
  assert(l00 && l01 && l10 && l11);
  const nowhere = { lowest: new Uint8Array(40), highest: new Uint8Array(40), rows: [] };
  const tree = [0, 1, l00, l01, 1, l10, l11];
  verifyProof(tree, nowhere, hashOfNodes(tree));
  const noTrees: readonly ProofNode[][] = [
    // A leaf on the wrong side, by the node above it and by one further up.
    [1, l01, l00],
    [0, 1, l00, l11, l10],
    // A bit below a later one, and below itself.
    [1, 0, l00, l10, l11],
    [1, 1, l00, l01, l11],
    // Leaves that do not rise: one twice, and sides that differ before the bit between them.
    [0, l00, 1, l10, l10],
    [1, l10, l01],
    [320, l00, l01],
    // The same with a side pruned, which no leaf speaks against.
    [1, 1, l00, sha256(l01), l11],
    [320, l00, sha256(l01)],
  ];
  for (const nodes of noTrees) assertThrows(() => verifyProof(nodes, nowhere, hashOfNodes(nodes)), "tampered");
});

import fc from "fast-check";
import { type Bytes } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Head, SignedHead } from "../../../shared/protocol/head.ts";
import { judgeHistory } from "../../../shared/protocol/judge_history.ts";
import { assert, assertThrows } from "../../assert.ts";
import { makeLeaves, naivePath, naiveRoot } from "../merkle/history_model.ts";

/** Hashes of the heads of an incarnation that began with generation 4. */
const FIRST = 4;
const hashes = makeLeaves(20);

/** A head of a generation, as far as its history is judged. */
function headOf(generation: number, heads: readonly Bytes[] = hashes): Pick<SignedHead, "head"> {
  const size = generation - FIRST;
  const history: Head["history"] = { size, root: naiveRoot(heads.slice(0, size)) };
  return { head: { generation, history } as Head };
}

function seen(generation: number): { generation: number; hash: Bytes } {
  const hash = hashes[generation - FIRST];
  assert(hash);
  return { generation, hash };
}

function path(from: number, to: number, heads: readonly Bytes[] = hashes): Bytes[] {
  return naivePath(heads.slice(0, to - FIRST), from - FIRST);
}

const pairs = fc.tuple(fc.nat(18), fc.nat(18)).filter(([a, b]) => a !== b)
  .map(([a, b]) => [FIRST + Math.min(a, b), FIRST + Math.max(a, b)] as const);

Deno.test("READ-07, TREE-06: judgeHistory() accepts a head that builds on the one remembered, by its path alone", () => {
  fc.assert(fc.property(pairs, pairs, ([from, to], [other, end]) => {
    judgeHistory(headOf(to), seen(from), path(from, to));
    if (other === from && end === to) return;
    const foreign = path(other, end);
    const isSame = foreign.length === path(from, to).length && foreign.every((hash, i) => hash === path(from, to)[i]);
    if (!isSame) assertThrows(() => judgeHistory(headOf(to), seen(from), foreign), "forked");
  }));
});

Deno.test("READ-07: judgeHistory() throws forked for a history in which the remembered head, or its place, is another", () => {
  fc.assert(fc.property(pairs, ([from, to]) => {
    const rewritten = hashes.with(from - FIRST, sha256(Uint8Array.of(1)));
    assertThrows(() => judgeHistory(headOf(to, rewritten), seen(from), path(from, to, rewritten)), "forked");
    assertThrows(() => judgeHistory(headOf(to, rewritten), seen(from), path(from, to)), "forked");
    // One head more or less in between puts the remembered one into another place.
    const shifted = { head: { ...headOf(to).head, generation: to + 1 } };
    assertThrows(() => judgeHistory(shifted, seen(from), path(from, to)), "forked");
  }));
});

Deno.test("READ-07: judgeHistory() throws forked for a history that begins after the remembered head", () => {
  const head = {
    head: { generation: 9, history: { size: 2, root: naiveRoot(hashes.slice(0, 2)) } } as unknown as Head,
  };
  assertThrows(() => judgeHistory(head, seen(5), path(5, 9)), "forked");
  assertThrows(() => judgeHistory(head, seen(5), []), "forked");
});

Deno.test("READ-07: judgeHistory() throws withheld without a path, and asks for none of the remembered head itself", () => {
  assertThrows(() => judgeHistory(headOf(9), seen(5), null), "withheld");
  assertThrows(() => judgeHistory(headOf(6), seen(5), null), "withheld");
  judgeHistory(headOf(9), seen(9), null);
});

import fc from "fast-check";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import {
  appendToHistory,
  decodeHistory,
  EMPTY_HISTORY,
  encodeHistory,
  type History,
  historyRoot,
} from "../../../shared/merkle/history.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { makeLeaves, naiveRoot } from "./history_model.ts";

/** The eight leaves of the reference tests of RFC 6962's authors, and the roots over the first 0 to 8 of them. */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function grow(leaves: readonly Bytes[]): History {
  return leaves.reduce<History>((history, leaf) => appendToHistory(history, leaf).history, EMPTY_HISTORY);
}

Deno.test("TREE-06: historyRoot() gives the roots of RFC 6962's reference tests", () => {
  const leaves = LEAVES.map(fromHex);
  assertEquals(ROOTS.map((_, size) => toHex(historyRoot(grow(leaves.slice(0, size))))), ROOTS);
});

Deno.test("TREE-06: historyRoot() agrees with the recursive definition at every size to 130", () => {
  const leaves = makeLeaves(130);
  for (let size = 0; size <= 130; size++) {
    assertEquals(historyRoot(grow(leaves.slice(0, size))), naiveRoot(leaves.slice(0, size)), `size ${size}`);
  }
});

Deno.test("appendToHistory() hands out each perfect subtree once, when it becomes one", () => {
  const leaves = makeLeaves(37);
  const seen = new Map<string, Bytes>();
  let history = EMPTY_HISTORY;
  for (const leaf of leaves) {
    const appended = appendToHistory(history, leaf);
    history = appended.history;
    for (const node of appended.nodes) {
      const name = `${node.level}/${node.index}`;
      assertEquals(seen.has(name), false, name);
      const covered = leaves.slice(node.index * 2 ** node.level, (node.index + 1) * 2 ** node.level);
      assertEquals(covered.length, 2 ** node.level);
      assertEquals(node.hash, naiveRoot(covered), name);
      seen.set(name, node.hash);
    }
  }
  assertEquals(seen.size, 37 + 18 + 9 + 4 + 2 + 1);
});

Deno.test("appendToHistory() leaves the history it was given as it was", () => {
  const before = grow(makeLeaves(5));
  const root = historyRoot(before);
  appendToHistory(before, sha256(root));
  assertEquals(historyRoot(before), root);
});

Deno.test("decodeHistory() gives back what encodeHistory() took", () => {
  fc.assert(fc.property(fc.nat(200), (size) => {
    const history = grow(makeLeaves(size));
    assertEquals(decodeHistory(encodeHistory(history)), history);
  }));
});

Deno.test("decodeHistory() throws malformed for anything else", () => {
  const hash = sha256(new Uint8Array(1));
  const bad = {
    "no array": encodeCbor(3),
    "a third element": encodeCbor([0, [], 0]),
    "fewer hashes than bits": encodeCbor([3, [hash]]),
    "more hashes than bits": encodeCbor([4, [hash, hash]]),
    "a short hash": encodeCbor([1, [hash.subarray(1)]]),
    "a text for a hash": encodeCbor([1, ["x"]]),
    "a negative size": encodeCbor([-1, []]),
    "bytes after the end": concat(encodeHistory(EMPTY_HISTORY), new Uint8Array(1)),
    "nothing": new Uint8Array(0),
  };
  for (const bytes of Object.values(bad)) assertThrows(() => decodeHistory(bytes), "malformed");
});

Deno.test("appendToHistory() throws usage when the frontier does not fit the size", () => {
  assertThrows(() => appendToHistory({ size: 1, frontier: [] }, new Uint8Array(1)), "usage");
});

import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import { compareBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { ProofNode } from "../../shared/merkle/proof_node.ts";
import { StateTree } from "../../shared/merkle/state_tree.ts";
import { verifyProof } from "../../shared/merkle/verify_proof.ts";
import { besideList, keepWays, proveAbsent, provePresent } from "../../bench/proofs/prove_rows.ts";
import { SortedRows } from "../../bench/proofs/sorted_rows.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("SortedRows gives keys that ascend, and those beside one that is none of them", () => {
  const rows = new SortedRows(3_000);
  for (let number = 1; number < rows.count; number++) {
    assert(compareBytes(rows.at(number - 1).key, rows.at(number).key) < 0);
  }
  const [first, last] = [rows.at(0).key, rows.at(2_999).key];
  assertEquals(rows.beside(new Uint8Array(40)), { before: null, after: first });
  assertEquals(rows.beside(new Uint8Array(40).fill(0xff)), { before: last, after: null });
  const between = rows.at(7).key.slice();
  between[39] = 1;
  assertEquals(rows.beside(between), { before: rows.at(7).key, after: rows.at(8).key });
});

Deno.test("proofs of the bench are of the whole tree, and verify", () => {
  for (const count of [1, 2, 50, 2_000]) {
    const rows = new SortedRows(count);
    const leaves = Array.from({ length: count }, (_, number) => rows.at(number));
    const present = leaves.filter((_, number) => number % 7 === 0);
    const absent = Array.from({ length: 100 }, (_, number) => sha256(utf8(`absent ${number}`)));
    const keys = [...present.map(({ key }) => key), ...absent.flatMap((token) => besideList(rows, token))];
    const ways = keepWays(rows, keys);
    assertEquals(ways.root, StateTree.fromSorted(leaves).root());
    const proven = [
      ...present.map((row) => provePresent(ways, row)),
      ...absent.map((token) => proveAbsent(ways, rows, token)),
    ];
    for (const { claim, proof } of proven) {
      verifyProof(decodeCbor(encodeCbor(proof)) as ProofNode[], claim, ways.root);
    }
  }
});

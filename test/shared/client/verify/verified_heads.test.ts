import { assertEquals } from "../../../assert.ts";
import { VerifiedHeads } from "../../../../shared/client/verify/verified_heads.ts";
import type { SignedHead } from "../../../../shared/protocol/head.ts";
import { filled } from "../../protocol/epoch.ts";

function headOf(generation: number, incarnation: number): Pick<SignedHead, "head" | "hash"> {
  const head = { generation, incarnation: filled(16, incarnation) } as SignedHead["head"];
  return { head, hash: filled(32, generation % 256) };
}

Deno.test("VerifiedHeads() knows the newest 256 heads, of one incarnation, HEAD-09", () => {
  const heads = new VerifiedHeads();
  assertEquals(heads.last, null);
  assertEquals(heads.hashOf(1, filled(16, 1)), undefined);
  for (let generation = 1; generation <= 257; generation++) heads.add(headOf(generation, 1), 1_000 + generation);
  assertEquals(heads.last, 1_257);
  assertEquals(heads.hashOf(1, filled(16, 1)), undefined);
  for (const generation of [2, 3, 256, 257]) {
    assertEquals(heads.hashOf(generation, filled(16, 1)), filled(32, generation % 256));
  }
  assertEquals(heads.hashOf(257, filled(16, 2)), undefined);
  // Shown again it is new again: the next one to go is the third.
  heads.add(headOf(2, 1), 2_000);
  heads.add(headOf(258, 1), 2_001);
  assertEquals(heads.hashOf(2, filled(16, 1)), filled(32, 2));
  assertEquals(heads.hashOf(3, filled(16, 1)), undefined);
  assertEquals(heads.hashOf(4, filled(16, 1)), filled(32, 4));
  heads.add(headOf(300, 2), 3_000);
  assertEquals(heads.hashOf(258, filled(16, 2)), undefined);
  assertEquals(heads.hashOf(300, filled(16, 2)), filled(32, 44));
});

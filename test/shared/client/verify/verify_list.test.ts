import fc from "fast-check";
import { assertThrows } from "../../../assert.ts";
import type { Range } from "../../../../shared/client/session/calls.ts";
import {
  type HashedRow,
  type ListAnswer,
  requireRange,
  verifyList,
} from "../../../../shared/client/verify/verify_list.ts";
import type { View } from "../../../../shared/client/verify/view.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { treeKey } from "../../../../shared/merkle/tree_hash.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { naiveProof } from "../../merkle/proof_model.ts";
import { naiveStateRoot, sorted, tableLeaves } from "../../merkle/state_tree_model.ts";
import { epochKeys } from "../../protocol/epoch.ts";

const keys = await epochKeys();
const list = rowKey(keys, LISTS.channel("mail"), 0);
const { token } = list;
const rows: HashedRow[] = [0, 1, 2, 5, 6, 9].map((number) => ({ number, hash: sha256(Uint8Array.of(number)) }));
const leaves = sorted([
  ...tableLeaves(40),
  ...rows.map(({ number, hash }) => ({ key: treeKey(token, number), rowHash: hash })),
]);
const nothing = { count: 0, root: naiveStateRoot([]) };
const tables = { devices: nothing, certificates: nothing, messages: { count: 46, root: naiveStateRoot(leaves) } };
const view = { keys, head: { head: { tables } } } as unknown as View;

/** What an honest edge answers, `most` rows at a time. */
function answer(range: Range, most = 10): ListAnswer {
  const isUp = "from" in range;
  const asked = isUp
    ? rows.filter(({ number }) => number >= range.from)
    : rows.filter(({ number }) => number < range.before).toReversed();
  const shown = asked.slice(0, most);
  const more = shown.length < asked.length;
  const last = more ? shown.at(-1)?.number : undefined;
  const end = isUp ? 2 ** 53 - 1 : 0;
  const [lowest, highest] = isUp ? [range.from, last ?? end] : [last ?? end, range.before - 1];
  const proof = naiveProof(leaves, { lowest: treeKey(token, lowest), highest: treeKey(token, highest) });
  return { rows: shown, more, proof };
}

const ranges: fc.Arbitrary<Range> = fc.oneof(
  fc.nat(11).map((from) => ({ from })),
  fc.integer({ min: 1, max: 11 }).map((before) => ({ before })),
);

Deno.test("verifyList() accepts every honest answer, whole or in pages, READ-06 READ-09", () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 7 }), (range, most) => {
      verifyList(view, list, range, answer(range, most));
    }),
    { numRuns: 40 },
  );
});

Deno.test("verifyList() throws withheld where a row of the range is left out, READ-09", () => {
  fc.assert(
    fc.property(ranges, fc.nat(), (range, at) => {
      const whole = answer(range);
      if (whole.rows.length === 0) return;
      const left = whole.rows.toSpliced(at % whole.rows.length, 1);
      const wanted = new Set(left.map(({ number }) => number));
      const bounds = { lowest: treeKey(token, 0), highest: treeKey(token, 2 ** 53 - 1) };
      const numberOf = new Map(rows.map(({ number }) => [treeKey(token, number).join(), number]));
      const proof = naiveProof(leaves, bounds, ({ key }) => wanted.has(numberOf.get(key.join()) ?? -1));
      assertThrows(() => verifyList(view, list, range, { rows: left, more: false, proof }), "withheld");
    }),
    { numRuns: 40 },
  );
});

Deno.test("verifyList() refuses rows that were not asked for, and in another order, READ-06", () => {
  const up = answer({ from: 1 });
  const down = answer({ before: 9 });
  assertThrows(() => verifyList(view, list, { from: 2 }, up), "tampered");
  assertThrows(() => verifyList(view, list, { before: 6 }, down), "tampered");
  for (const [range, honest] of [[{ from: 1 }, up], [{ before: 9 }, down]] as const) {
    const [first, ...rest] = honest.rows;
    if (first === undefined) throw new Error("there were to be rows");
    const orders = [honest.rows.toReversed(), [first, first, ...rest], [...rest, first]];
    for (const other of orders) {
      assertThrows(() => verifyList(view, list, range, { ...honest, rows: other }), "tampered");
    }
  }
});

Deno.test("verifyList() wants a proof, and rows where there are said to be more, READ-09", () => {
  const honest = answer({ from: 0 });
  assertThrows(() => verifyList(view, list, { from: 0 }, { ...honest, proof: null }), "withheld");
  assertThrows(() => verifyList(view, list, { from: 20 }, { ...answer({ from: 20 }), more: true }), "tampered");
  assertThrows(() => verifyList(view, list, { from: 0 }, { ...honest, more: true, rows: [] }), "tampered");
});

Deno.test("requireRange() refuses a range that holds nothing", () => {
  for (const range of [{ from: 0 }, { from: 7 }, { before: 1 }]) requireRange(range);
  assertThrows(() => requireRange({ before: 0 }), "usage");
});

import { DEFAULT_POLICY, fullReason, type PushSituation } from "../../../manager/push/plan/mode.ts";
import { assertEquals } from "../../assert.ts";

const epoch = { devicesVersion: 3, sealed: 10, startedMillis: 1_000, hasNodes: true, isForDeltas: true };
const quiet: PushSituation = {
  epoch,
  ...{ devicesVersion: 3, entries: 501, rotate: false, edgeLost: false, nowMillis: 2_000 },
};

const CASES: readonly (readonly [string, Partial<PushSituation>, ReturnType<typeof fullReason>])[] = [
  ["nothing happened in a large store", {}, null],
  ["the store is at the threshold", { entries: 500 }, "small store"],
  ["a small store has grown", { epoch: { ...epoch, isForDeltas: false } }, "store grew"],
  ["there was no push before", { epoch: null }, "first"],
  ["the edge lost what it had", { edgeLost: true }, "edge lost"],
  ["the owner asks", { rotate: true }, "asked"],
  ["a device came or went", { devicesVersion: 4 }, "devices changed"],
  ["the epoch is a week old", { nowMillis: 1_001 + DEFAULT_POLICY.maxEpochMillis }, "epoch too old"],
  ["the keys are used up", { epoch: { ...epoch, sealed: 2 ** 31 } }, "key used up"],
  ["the edge was filled by a version without proofs", { epoch: { ...epoch, hasNodes: false } }, "no proofs"],
];

for (const [situation, change, reason] of CASES) {
  Deno.test(`fullReason() says ${reason ?? "delta"} when ${situation}`, () => {
    assertEquals(fullReason({ ...quiet, ...change }, DEFAULT_POLICY), reason);
  });
}

Deno.test("fullReason() says small store of none when the owner wants no full pushes, PUSH-18", () => {
  assertEquals(fullReason({ ...quiet, entries: 0 }, { ...DEFAULT_POLICY, fullUpToRows: 0 }), null);
});

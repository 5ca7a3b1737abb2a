import { type CpuProfile, hotSpots, hotSpotText } from "../../bench/harness/profile.ts";
import { assertEquals } from "../assert.ts";

const node = (id: number, functionName: string, url = "") => ({
  id,
  callFrame: { functionName, url },
});

const PROFILE: CpuProfile = {
  nodes: [
    node(1, "(idle)"),
    node(2, "read", "file:///project/edge/store/read.ts"),
    node(3, "hash", "file:///project/node_modules/.deno/hono@1/node_modules/hono/dist/a.js"),
    node(4, "read", "file:///project/edge/store/read.ts"),
    node(5, "", "file:///elsewhere/b.ts"),
    node(6, "post", "ext:deno_node/inspector.js"),
  ],
  samples: [1, 2, 3, 4, 5, 6],
  timeDeltas: [1_000, 30, 50, 10, 10, 500],
};

Deno.test("hotSpots() adds up a function's own time wherever it was called, leaves idle time and the profiler out, and orders by share", () => {
  assertEquals(hotSpots(PROFILE, 3, "/project"), [
    { name: "hash", place: "hono/dist/a.js", share: 0.5 },
    { name: "read", place: "edge/store/read.ts", share: 0.4 },
    { name: "(anonymous)", place: "/elsewhere/b.ts", share: 0.1 },
  ]);
  assertEquals(hotSpots(PROFILE, 1, "/project").length, 1);
});

Deno.test("hotSpotText() writes one line a function", () => {
  assertEquals(hotSpotText([{ name: "hash", place: "a.js", share: 0.5 }]), " 50.0 %  hash  a.js");
});

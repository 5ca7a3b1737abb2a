import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { ADVICE, adviceFor } from "../../../shared/client/advice.ts";
import { freshnessReport } from "../../../shared/client/freshness.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { restart, start } from "./start.ts";

Deno.test("freshness() tells from memory alone how old the newest head is, HEAD-10", async () => {
  let now = 0;
  const started = await start({ surroundings: { now: () => now } });
  const { device, world, edge } = started;
  const { time, nextDue } = world.current.head;
  now = time + 1_000;
  const { advice, ...unknown } = await device.freshness();
  assert(advice !== null);
  const nothing = { generation: null, asOf: null, nextDue: null, overdueMillis: 0, lastVerified: null };
  assertEquals(unknown, { state: "unknown", ...nothing });
  await device.login();
  edge.before = () => Promise.reject(new TypeError("no network"));
  edge.requests.length = 0;
  const known = { generation: 1, asOf: time, nextDue, lastVerified: time + 1_000 };
  const at = async (millis: number, other = device) => {
    now = millis;
    return await other.freshness();
  };
  const { stale, clock } = ADVICE;
  const cases = [
    [time + 1_000, "fresh", null],
    [nextDue, "fresh", null],
    [nextDue + LIMITS.headGraceMillis, "fresh", null],
    [nextDue + LIMITS.headGraceMillis + 1, "overdue", stale],
    [time - LIMITS.maxClockLeadMillis, "fresh", null],
    [time - LIMITS.maxClockLeadMillis - 1, "ahead", clock],
  ] as const;
  for (const [millis, state, advice] of cases) {
    const expected = { state, ...known, overdueMillis: Math.max(0, millis - nextDue), advice };
    assertEquals(await at(millis), expected);
    // What a device started again remembers is the same.
    assertEquals(await at(millis, restart(started)), expected);
  }
  assertEquals(edge.requests, []);
});

Deno.test("freshness() says when a head was last verified, be it the same again, and of an earlier run when it first was, HEAD-10", async () => {
  let now = 0;
  const started = await start({ surroundings: { now: () => now } });
  const { device, world, edge } = started;
  const { time } = world.current.head;
  now = time + 1_000;
  await device.login();
  now = time + 2_000;
  await device.head();
  assertEquals((await device.freshness()).lastVerified, time + 2_000);
  assertEquals((await restart(started).freshness()).lastVerified, time + 1_000);
  // A head that is refused is none that was verified.
  await world.turn();
  edge.lie = (name, answer) => name === "record" ? { ...answer, history: null } : answer;
  now = time + 3_000;
  await assertRejects(() => device.head(), "withheld");
  assertEquals((await device.freshness()).lastVerified, time + 2_000);
  edge.lie = (_, answer) => answer;
  await device.head();
  const { generation, lastVerified } = await device.freshness();
  assertEquals([generation, lastVerified], [2, time + 3_000]);
  assertEquals((await restart(started).freshness()).lastVerified, time + 3_000);
});

Deno.test("adviceFor() has a text of its own for everything that an edge can be caught at, and none for the rest", () => {
  const codes = ["stale", "clock", "rolled_back", "forked", "withheld", "tampered", "restored"] as const;
  assertEquals(new Set(codes.map((code) => adviceFor(code))).size, codes.length);
  assertEquals([adviceFor("network"), adviceFor("usage")], [null, null]);
});

Deno.test("freshnessReport() knows nothing without a head, or without when it was seen, HEAD-10", () => {
  const head = { statement: 1, epoch: 1, generation: 7, hash: new Uint8Array(32), time: 1_000 };
  const times = { nextDue: 2_000, verified: 1_500 };
  assertEquals(freshnessReport({ head, times }, null, 1_600).state, "fresh");
  assertEquals(freshnessReport({ head, times: null }, 1_500, 1_600).state, "unknown");
  assertEquals(freshnessReport({ head: null, times }, 1_500, 1_600).state, "unknown");
});

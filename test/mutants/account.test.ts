import { assert, assertEquals } from "../assert.ts";
import { account } from "./account.ts";
import type { Fate } from "./results.ts";

function fate(nth: number, end: Fate["end"]): Fate {
  return { path: "a.ts", line: 1, text: "if (a) return;", what: "the condition never holds", nth, end };
}

const DEAD = Array.from({ length: 38 }, (_, nth) => fate(nth, nth === 0 ? "timeout" : "died"));

Deno.test("account() is good when enough died and every survivor is listed", () => {
  const { lines, summary, isGood } = account([...DEAD, fate(40, "survived")], [fate(40, "survived")]);
  assert(isGood);
  assertEquals(summary, { mutants: 39, dead: 38, timedOut: 1, listed: 1, survived: 0, share: 0.974 });
  assertEquals(lines, ["a.ts: 38 of 39 dead (1 timed out), 1 listed, 0 survived"]);
});

Deno.test("account() names a survivor that is not listed, and one that is but died", () => {
  const { lines, isGood } = account([...DEAD, fate(40, "unreached")], [fate(3, "died")]);
  assert(!isGood);
  assertEquals(lines.slice(1), [
    "unreached a.ts:1 the condition never holds [40] | if (a) return;",
    "listed in survivors.ts, but it died or is no more: a.ts the condition never holds | if (a) return;",
  ]);
});

Deno.test("account() is not good when more than one in twenty lives, listed or not", () => {
  const alive = [fate(40, "survived"), fate(41, "survived"), fate(42, "survived")];
  assert(!account([...DEAD, ...alive], alive).isGood);
  assert(!account([], []).isGood);
});

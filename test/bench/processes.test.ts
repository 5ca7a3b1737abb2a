import { cpuSeconds, descendants, parseStat, residentMib } from "../../bench/harness/processes.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("parseStat() finds parent and ticks when the name of the process holds spaces and parentheses", () => {
  const rest = "S 41 42 42 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 1 0 100 1000 10";
  assertEquals(parseStat(`42 (php-fpm) ${rest}`), { parent: 41, ticks: 300 });
  assertEquals(parseStat(`42 (a (b) c) ) ${rest}`), { parent: 41, ticks: 300 });
});

Deno.test("descendants() follows children and grandchildren when they are listed in any order", () => {
  const parents = new Map([[5, 4], [4, 3], [3, 2], [9, 8], [2, 1]]);
  assertEquals(descendants([3], parents).sort(), [3, 4, 5]);
  assertEquals(descendants([9, 2], parents).sort(), [2, 3, 4, 5, 9]);
});

Deno.test({
  name: "cpuSeconds() grows when this process works, and residentMib() is some of its memory",
  ignore: Deno.build.os !== "linux",
  fn() {
    const before = cpuSeconds([Deno.pid]);
    // Work is counted and not time, which may pass while others have the processors; a hundred times as much as it takes.
    let sum = 0;
    for (let i = 0; i < 3_000_000_000 && cpuSeconds([Deno.pid]) - before < 0.03; i += 1_000_000) {
      for (let j = 0; j < 1_000_000; j++) sum += Math.sqrt(sum + 1);
    }
    assert(cpuSeconds([Deno.pid]) - before >= 0.03, `${sum}`);
    const mib = residentMib([Deno.pid]);
    assert(mib > 10 && mib < 10_000, `${mib}`);
  },
});

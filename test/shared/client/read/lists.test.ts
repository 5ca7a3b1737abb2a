import { assertEquals, assertThrows } from "../../../assert.ts";
import { type ListPage, Lists, onlyRow } from "../../../../shared/client/read/lists.ts";
import type { View } from "../../../../shared/client/verify/view.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { LISTS } from "../../../../shared/protocol/token.ts";

const NOW = 1_900_000_000_000;
const asOf = { generation: 1, epoch: 1, time: NOW, nextDue: NOW, freshness: "fresh", alarm: null } as const;

function page(numbers: readonly number[], more: boolean): ListPage {
  return { rows: numbers.map((number) => ({ number, content: { kind: "cover", zeros: 0 } })), more, asOf };
}

/** Lists whose pages are given, and which keep what was asked for. */
class GivenLists extends Lists {
  readonly asked: unknown[] = [];
  readonly #pages: ListPage[];

  constructor(pages: ListPage[], now = NOW, staleReads: "mark" | "refuse" = "mark") {
    super(() => now, staleReads);
    this.#pages = pages;
  }

  page(_: unknown, range: unknown): Promise<ListPage> {
    this.asked.push(range);
    const next = this.#pages.shift();
    return next === undefined ? Promise.reject(new Error("asked for too much")) : Promise.resolve(next);
  }
}

Deno.test("all() goes on behind the last row for as long as there is more", async () => {
  const pages = [page([3, 4], true), page([7], true), page([8, 9], false)];
  const lists = new GivenLists([...pages]);
  assertEquals(await Array.fromAsync(lists.all(LISTS.channels, 3)), pages);
  assertEquals(lists.asked, [{ from: 3 }, { from: 5 }, { from: 8 }]);
  for (const last of [page([], false), page([], true)]) {
    const one = new GivenLists([last]);
    assertEquals(await Array.fromAsync(one.all(LISTS.channels, 0)), [last]);
  }
});

Deno.test("present() refuses what is overdue or ahead of the clock only where it is to, HEAD-04", () => {
  const head = { generation: 1, epoch: 1, time: NOW, nextDue: NOW + 300_000 };
  const view = { head: { head }, alarm: null } as View;
  const late = NOW + 300_000 + LIMITS.headGraceMillis + 1;
  const early = NOW - LIMITS.maxClockLeadMillis - 1;
  assertEquals(new GivenLists([], late).present(view).freshness, "overdue");
  assertEquals(new GivenLists([], early).present(view).freshness, "ahead");
  assertEquals(new GivenLists([], NOW, "refuse").present(view).freshness, "fresh");
  assertThrows(() => new GivenLists([], late, "refuse").present(view), "stale");
  assertThrows(() => new GivenLists([], early, "refuse").present(view), "clock");
});

Deno.test("onlyRow() takes one row at place 0, or none", () => {
  assertEquals(onlyRow(page([], false)), null);
  assertEquals(onlyRow(page([0], false))?.number, 0);
  for (const other of [page([1], false), page([0, 1], false), page([0], true), page([], true)]) {
    assertThrows(() => onlyRow(other), "tampered");
  }
});

import fc from "fast-check";
import { EntryList } from "../../../manager/push/plan/entry_list.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("EntryList gives back what was added, in its order and whatever its length", () => {
  const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(id, fc.integer({ min: 0, max: 5_000 }), (first, length) => {
    const entries = Array.from(
      { length },
      (_, place) => ({ id: Math.max(1, first - place), tbl: place % 4, size: place }),
    );
    const list = EntryList.of(entries);
    assertEquals(list.length, length);
    for (const place of [0, 1, 1_023, 1_024, 2_048, length - 1]) {
      if (place >= 0 && place < length) assertEquals(list.at(place), entries[place]);
    }
  }));
});

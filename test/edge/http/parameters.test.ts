import fc from "fast-check";
import { hex, integer, optional, readPath, readQuery } from "../../../edge/http/parameters.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const SPEC = { n: integer(1, 1_000_000), id: hex(4), more: optional(integer()) };

Deno.test("readQuery() reads back what is spelt right, in any order (CONV-06)", () => {
  const values = fc.record({
    n: fc.integer({ min: 1, max: 1_000_000 }),
    id: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    more: fc.option(fc.integer({ min: 0 }), { nil: undefined }),
  });
  fc.assert(fc.property(values, fc.boolean(), ({ n, id, more }, reversed) => {
    const pairs = [`n=${n}`, `id=${toHex(id)}`, ...(more === undefined ? [] : [`more=${more}`])];
    const query = `?${(reversed ? pairs.reverse() : pairs).join("&")}`;
    const read = readQuery(SPEC, query);
    assertEquals([read.n, toHex(read.id), read.more], [n, toHex(id), more]);
  }));
});

Deno.test("readQuery() accepts exactly one spelling of any text (CONV-06)", () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^\?(n|id|more|x)=[0-9a-f+%.-]{0,9}(&(n|id|more)=[0-9a-f]{0,9}){0,3}$/),
    fc.constantFrom("?n=1&id=00000000", "?n=1&id=0000000g", "?n=1&id=00000000&constructor=1", "?n=1;id=00000000"),
  );
  fc.assert(
    fc.property(text, (query) => {
      let read;
      try {
        read = readQuery(SPEC, query);
      } catch (error) {
        assertThrows(() => {
          throw error;
        }, "malformed");
        return;
      }
      const spelt = query.slice(1).split("&").sort();
      const again = [`n=${read.n}`, `id=${toHex(read.id)}`, ...(read.more === undefined ? [] : [`more=${read.more}`])];
      assertEquals(spelt, again.sort());
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("integer() reads decimal numbers from its least to its largest and nothing else (CONV-06)", () => {
  const from1to100 = integer(1, 100);
  for (const [text, value] of [["1", 1], ["99", 99], ["100", 100]] as const) assertEquals(from1to100.read(text), value);
  for (
    const text of ["0", "101", "-1", "+1", "01", "1.", "1.0", "1e1", "0x1", " 1", "1 ", "", "١", "1_0", "Infinity"]
  ) {
    assertEquals(from1to100.read(text), null, text);
  }
  assertEquals(integer().read("9007199254740991"), 9_007_199_254_740_991);
  for (const text of ["9007199254740992", "9999999999999999", "90071992547409910"]) {
    assertEquals(integer().read(text), null);
  }
});

Deno.test("readPath() reads the parameters that routes have, and refuses any other (CONV-06)", () => {
  const owner = "0a".repeat(32);
  const read = readPath<"rows">({ owner, table: "messages" });
  assertEquals([toHex(read.owner), read.table], [owner, 3]);
  assertEquals(readPath<"pushChunk">({ owner, id: "0b".repeat(16), n: "0" }).n, 0);
  for (
    const path of [
      { owner: owner.toUpperCase() },
      { owner: owner.slice(2) },
      { owner, table: "hasOwnProperty" },
      { owner, table: "" },
      { owner, n: "007" },
      { owner, other: "1" },
      { __proto__: null, constructor: "1" },
    ]
  ) assertThrows(() => readPath<"rows">(path as unknown as Record<string, string>), "malformed");
});

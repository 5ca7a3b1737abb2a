import fc from "fast-check";
import { clip, count, displayWidth, pairs, plain, table } from "../../../manager/text/layout.ts";
import {
  duration,
  isoOrNull,
  moment,
  parseDuration,
  parsePoint,
  relative,
  size,
} from "../../../manager/text/moments.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

Deno.test("table() aligns its columns, wide characters and marks counted as they are shown", () => {
  assertEquals(table(["A", "B"], [["日本", "x"], ["e\u0301", "y"]]), "A     B\n日本  x\ne\u0301     y");
  assertEquals(table(["A"], []), "A");
});

Deno.test("plain() leaves nothing that moves a cursor or turns the direction of text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(plain(text)));
  }));
  assertEquals(plain("a\u202eb\x1b[2J\nc"), "a\ufffdb\ufffd[2J\ufffdc");
});

Deno.test("clip() is never wider than it may be", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 40 }), (text, width) => {
    const clipped = clip(text, width);
    assert(displayWidth(clipped) <= width);
    if (displayWidth(text) <= width) assertEquals(clipped, text);
  }));
});

Deno.test("pairs() leaves out what has no value", () => {
  assertEquals(pairs([["a", "1"], ["long", null], ["bc", "2"]]), "a   1\nbc  2");
  assertEquals([count(1, "row"), count(2, "row"), count(0, "entry", "entries")], ["1 row", "2 rows", "0 entries"]);
});

Deno.test("duration(), relative() and size() use one unit each", () => {
  const table: [number, string][] = [
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1.0 s"],
    [12_300, "12 s"],
    [90_000, "90 s"],
    [300_000, "5 min"],
    [3 * 3_600_000, "3 h"],
    [7 * 86_400_000, "7 days"],
  ];
  for (const [millis, text] of table) assertEquals(duration(millis), text);
  assertEquals([relative(1_000, 0), relative(0, 5_000)], ["in 1.0 s", "5.0 s ago"]);
  assertEquals([size(0), size(1_023), size(1_536), size(26_214_400), size(2 ** 31)], [
    "0 B",
    "1023 B",
    "1.5 KiB",
    "25 MiB",
    "2.0 GiB",
  ]);
});

Deno.test("moment() and isoOrNull() survive any number", () => {
  assertEquals(moment(0), "1970-01-01 00:00:00Z");
  fc.assert(fc.property(fc.double(), (millis) => {
    assert(moment(millis).length > 0);
    isoOrNull(millis);
  }));
  assertEquals([isoOrNull(null), isoOrNull(0), isoOrNull(1e300)], [null, "1970-01-01T00:00:00.000Z", null]);
});

Deno.test("parseDuration() takes a number and a unit within the bounds", () => {
  const bounds = { min: 1_000, max: 86_400_000 };
  assertEquals(["1s", "5m", "12h", "1d"].map((text) => parseDuration(text, "--x", bounds)), [
    1_000,
    300_000,
    43_200_000,
    86_400_000,
  ]);
  for (const text of ["", "5", "m", "0s", "-5m", "2d", "1.5h", "5 m", "5M", "99999999999s"]) {
    assertThrows(() => parseDuration(text, "--x", bounds), "usage");
  }
});

Deno.test("parsePoint() reads dates, moments and how long ago, in UTC unless it says otherwise", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const points: [text: string, millis: number][] = [
    ["12h", now - 12 * 3_600_000],
    ["7d", now - 7 * 86_400_000],
    ["2026-11-22", Date.UTC(2026, 10, 22)],
    ["2026-11-22T01:43", Date.UTC(2026, 10, 22, 1, 43)],
    ["2026-11-22 01:43:05", Date.UTC(2026, 10, 22, 1, 43, 5)],
    ["2026-11-22T01:43Z", Date.UTC(2026, 10, 22, 1, 43)],
    ["2026-11-22T01:43:05.250+01:00", Date.UTC(2026, 10, 22, 0, 43, 5, 250)],
  ];
  for (const [text, millis] of points) assertEquals(parsePoint(text, "--since", now), millis, text);
  for (const text of ["", "yesterday", "2026-13-01", "22.11.2026", "7w", "-1d", "2026-11-22T25:00"]) {
    assertThrows(() => parsePoint(text, "--since", now), "usage");
  }
});

import { toMarkdown, toText } from "../../bench/harness/markdown.ts";
import { type BenchReport, figure, hasMissed, isMet, type Target, verdict } from "../../bench/harness/report.ts";
import { assert, assertEquals } from "../assert.ts";

const target = (bound: Target["bound"], wanted: number, found: number | null): Target => ({
  ...{ what: "speed", bound, wanted, found, unit: "x" },
  ...(found === null ? { unmeasured: "no peer" } : {}),
});

Deno.test("isMet() and verdict() take the bound itself as met, and say nothing of what was not measured", () => {
  const cases = [
    [target("at least", 3.5, 3.5), true, "met"],
    [target("at least", 3.5, 3.49), false, "MISSED"],
    [target("at most", 100, 100), true, "met"],
    [target("at most", 100, 101), false, "MISSED"],
    [target("at least", 1, null), null, "not measured"],
    [target("at least", 1, NaN), null, "not measured"],
  ] as const;
  for (const [one, met, word] of cases) assertEquals([isMet(one), verdict(one)], [met, word]);
});

Deno.test("hasMissed() is true for a missed target alone, not for one that could not be measured", () => {
  assertEquals(hasMissed([target("at least", 1, null), target("at least", 1, 2)]), false);
  assertEquals(hasMissed([target("at least", 1, 2), target("at most", 1, 2)]), true);
});

Deno.test("figure() keeps three digits or more when numbers are small, and parts thousands when they are large", () => {
  const figures = [0.1234, 1.2345, 12.345, 123.45, 17_000, 3, null, "text"].map(figure);
  assertEquals(figures, ["0.123", "1.23", "12.3", "123", "17,000", "3", "–", "text"]);
});

const REPORT: BenchReport = {
  targets: [target("at least", 3.5, 4), target("at least", 2, null)],
  tables: [{ title: "Speeds", columns: ["who", "a second"], rows: [["edge | ours", 17_000], ["floor", null]] }],
  notes: ["THE PEER WAS NOT MEASURED"],
  profiles: [{ title: "edge", text: " 50.0 %  read\n" }],
};

Deno.test("toMarkdown() writes command, machine, notes, targets, tables and profiles into one document", () => {
  const text = toMarkdown(REPORT, {
    ...{
      bench: "lookups",
      summary: "What it is.",
      date: "2026-01-01T00:00:00.000Z",
      command: "deno task bench lookups",
    },
    machine: [["processor", "2 cores"]],
  });
  for (
    const line of [
      "# Bench: lookups",
      "    deno task bench lookups",
      "- processor: 2 cores",
      "> **THE PEER WAS NOT MEASURED**",
      "| speed | at least 3.50 x | 4 x | met |",
      "| speed | at least 2 x | no peer | not measured |",
      "| edge \\| ours |   17,000 |",
      " 50.0 %  read",
    ]
  ) assert(text.replaceAll(/ +/g, " ").includes(line.replaceAll(/ +/g, " ")), `${line}\nis missing in\n${text}`);
});

Deno.test("toMarkdown() and toText() draw tables whose lines are equally long", () => {
  const lines = toText(REPORT).split("\n").filter((line) => line.startsWith("|"));
  const lengths = (from: string) => new Set(lines.filter((line) => line.includes(from)).map((line) => line.length));
  assertEquals(lengths("1").size, 1);
  assertEquals(lines.length, 8);
});

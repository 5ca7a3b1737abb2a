/// <reference lib="deno.unstable" />
import { assert, assertEquals } from "../assert.ts";
import { mutate } from "./mutate.ts";
import plugin, { type Site } from "./sites.ts";
import { $m, turnOn } from "./switch.ts";

const SOURCE = `/** A comment: a === b. */
import { a } from "b";
interface Pair {
  readonly isFirst: true;
}
export async function judge(one: number, other: number): Promise<boolean> {
  if (one < other && other > 0) throw new RangeError("one < other", { cause: !one });
  if (one !== 3 || !await requireThat(one)) one += 1;
  await requireThat(one);
  switch (one) {
    case 1:
      throw new Error("1");
  }
  return one + (other ?? 2) === other ? true : !one;
}
`;

function sitesOf(source: string): Site[] {
  return Deno.lint.runPlugin(plugin, "source.ts", source).map(({ message }) => JSON.parse(message) as Site);
}

Deno.test("mutate() turns each operator, each condition and each check, and leaves comments, types and messages alone", () => {
  const { mutants } = mutate(SOURCE, sitesOf(SOURCE), 1, "switch.ts");
  assertEquals(mutants.map(({ line, what }) => `${line} ${what}`), [
    "7 the condition never holds",
    "7 the condition always holds",
    "7 && becomes ||",
    "7 < becomes <=",
    "7 > becomes >=",
    "8 the condition never holds",
    "8 the condition always holds",
    "8 || becomes &&",
    "8 !== becomes ===",
    "8 ! is taken out",
    "8 += 1 becomes += 2",
    "9 the check is taken out",
    "12 the throw is taken out",
    "14 the condition never holds",
    "14 the condition always holds",
    "14 + becomes -",
    "14 ?? becomes &&",
    "14 true becomes false",
    "14 ! is taken out",
  ]);
  assertEquals(mutants[2]?.text, SOURCE.split("\n")[6]?.trim());
});

const COUNTED = `export function judge(one, other, known) {
  const found = [];
  if (one < other && other > 0) found.push("between");
  check();
  return [...found, one + (known ?? 5), !known === false, one || other];
  function check() {
    found.push("checked");
  }
}
`;

/** What a source does with one of its mutants on. */
function runWith(what: string | null): unknown {
  const { source, mutants } = mutate(COUNTED, sitesOf(COUNTED), 1, "switch.ts");
  const number = what === null ? 0 : mutants.findIndex((mutant) => mutant.what === what) + 1;
  assert(what === null || number > 0);
  const body = source.replace(/^import[^;]*;/, "").replace("export function", "return function");
  turnOn(number);
  try {
    return new Function("$m", body)($m)(1, 1, 3);
  } finally {
    turnOn(0);
  }
}

Deno.test("a mutated source does what is written until a mutant is turned on", () => {
  assertEquals(runWith(null), ["checked", 4, true, 1]);
  assertEquals(runWith("the condition always holds"), ["between", "checked", 4, true, 1]);
  assertEquals(runWith("< becomes <="), ["between", "checked", 4, true, 1]);
  assertEquals(runWith("&& becomes ||"), ["between", "checked", 4, true, 1]);
  assertEquals(runWith("+ becomes -"), ["checked", -2, true, 1]);
  assertEquals(runWith("?? becomes &&"), ["checked", 6, true, 1]);
  assertEquals(runWith("=== becomes !=="), ["checked", 4, false, 1]);
  assertEquals(runWith("! is taken out"), ["checked", 4, false, 1]);
  assertEquals(runWith("the check is taken out"), [4, true, 1]);
});

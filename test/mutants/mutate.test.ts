import { assert, assertEquals } from "../assert.ts";
import { mutantsOf } from "./mutate.ts";

const SOURCE = `/** A comment: a === b. */
import { a } from "b";
interface Pair {
  readonly first: number;
}
export function judge(one: number, other: number): boolean {
  if (one < other && other > 0) throw new Error("one < other");
  requireThat(one);
  return one + 1 === other;
}
`;

Deno.test("mutantsOf() turns each operator, each condition and each check, and leaves comments and texts alone", () => {
  const found = mutantsOf(SOURCE).map(({ line, what }) => `${line} ${what}`);
  assertEquals(found, [
    "7 < becomes <=",
    "7 > becomes >=",
    "7 && becomes ||",
    "7 the condition never holds",
    "7 the condition always holds",
    "8 the check is taken out",
    "9 === becomes !==",
    "9 + becomes -",
  ]);
});

Deno.test("mutantsOf() changes one line of each mutant", () => {
  const lines = SOURCE.split("\n");
  for (const { line, source } of mutantsOf(SOURCE)) {
    const differing = source.split("\n").flatMap((text, index) => text === lines[index] ? [] : [index + 1]);
    assertEquals(differing, [line]);
  }
  assert(mutantsOf("").length === 0);
});

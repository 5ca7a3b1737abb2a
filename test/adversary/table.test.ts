/** The table of attacks in README.md is that of the code. */
import { assertEquals } from "../assert.ts";
import { ATTACKS } from "./attacks/all.ts";

const LINE = /^\| (?<name>[^|]+?) *\| (?<victim>[^|]+?) *\| (?<seen>[^|]+?) *\|$/;

Deno.test("README.md lists every attack with whom it deceives and what it ends in", async () => {
  const text = await Deno.readTextFile(new URL("README.md", import.meta.url));
  const written = text.split("\n").flatMap((line) => {
    const { name, victim, seen } = LINE.exec(line)?.groups ?? {};
    return name === undefined || name === "attack" || name.startsWith("---") ? [] : [`${name} | ${victim} | ${seen}`];
  });
  const played = ATTACKS.map(({ name, victim, codes, later }) =>
    `${name} | ${victim} | ${[...codes.map((code) => `\`${code}\``), ...later === undefined ? [] : [later]].join(", ")}`
  );
  assertEquals(written, played);
});

Deno.test("No two attacks have one name", () => {
  assertEquals(new Set(ATTACKS.map(({ name }) => name)).size, ATTACKS.length);
});

import { parseArgs } from "../../bench/harness/args.ts";
import { assert, assertEquals } from "../assert.ts";

const KNOWN = ["lookups", "push"];

Deno.test("parseArgs() gives the defaults when nothing is said", () => {
  const wanted = { names: [], rounds: null, seconds: null, large: false, json: false, help: false };
  assertEquals(parseArgs([], KNOWN), wanted);
});

Deno.test("parseArgs() reads names and options in any order, with a space or an equals sign", () => {
  const wanted = { names: ["push", "lookups"], rounds: 3, seconds: 2.5, large: true, json: true, help: false };
  assertEquals(parseArgs(["push", "--rounds", "3", "lookups", "--large", "--json", "--seconds=2.5"], KNOWN), wanted);
});

Deno.test("parseArgs() says what is wrong when a name, an option or a number does not fit", () => {
  for (
    const [args, said] of [
      [["nothing"], "no bench or option 'nothing'"],
      [["--fast"], "no bench or option '--fast'"],
      [["--rounds"], "--rounds takes"],
      [["--rounds", "0"], "--rounds takes"],
      [["--rounds", "1.5"], "--rounds takes"],
      [["--rounds=1001"], "--rounds takes"],
      [["--seconds", "0.4"], "--seconds takes"],
      [["--seconds", "NaN"], "--seconds takes"],
      [["--seconds", ""], "--seconds takes"],
      [["--seconds", "3601"], "--seconds takes"],
    ] as const
  ) {
    const found = parseArgs(args, KNOWN);
    assert(typeof found === "string" && found.includes(said), `${args}: ${JSON.stringify(found)}`);
  }
});

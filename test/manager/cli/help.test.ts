/** The help of every command. */
import { join } from "node:path";
import type { Command } from "commander";
import { buildProgram } from "../../../manager/cli/program.ts";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

Deno.test("every command has help with an example", async () => {
  await using world = await CliWorld.empty();
  const names: string[][] = [];
  const walk = (command: Command, path: string[]) => {
    if (command.commands.length === 0) names.push(path);
    for (const child of command.commands) walk(child, [...path, child.name()]);
  };
  walk(buildProgram({} as Parameters<typeof buildProgram>[0], { exit: 0 }), []);
  assert(names.length > 30, `${names.length} commands`);
  for (const path of names) {
    const { code, out } = await world.run([...path, "--help"]);
    assertEquals(code, 0);
    assert(/Examples?:\n {2}\$ .*postern/.test(out), `postern ${path.join(" ")} --help has no example`);
    assert(out.includes("--json"), path.join(" "));
  }
});

Deno.test("postern --version says the version of deno.json", async () => {
  await using world = await CliWorld.empty();
  const config = JSON.parse(await Deno.readTextFile(join(PROJECT_ROOT, "deno.json"))) as { version: string };
  for (const flag of ["--version", "-V"]) {
    assertEquals(await world.run([flag]), { code: 0, out: `${config.version}\n`, err: "" });
  }
  // It is the program's alone.
  assert((await world.run(["--help"])).out.includes("--version"));
  const { out } = await world.run(["sync", "--help"]);
  assert(out.includes("--data <dir>") && !out.includes("--version"), out);
});

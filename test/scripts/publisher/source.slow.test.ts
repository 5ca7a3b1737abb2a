/** A release is made of what a commit has, whatever lies in the checkout beside it. */
import { factsOf, graphOf, isOtherBuilder, layOutSource } from "../../../scripts/publisher/build/source.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { Workshop } from "./workshop.ts";

const FILES: Readonly<Record<string, string>> = {
  "deno.json": "{}",
  "deno.lock": "{}",
  "edge/hosts/deno.ts": 'import "hono";\n',
  "manager/cli/main.ts": 'import "../../shared/version.ts";\nimport "kysely";\n',
  "scripts/verify_manifest.ts": "",
  "scripts/install_service.ts": "",
  "scripts/manager_flags.ts":
    'export const MANAGER_V8_FLAGS = "--v8-flags=--x";\nexport const MANAGER_ENV = { A: "1" };\n',
  "shared/version.ts": 'export const VERSION = "7.0.0";\n',
  "docs/page.md": "",
  "README.md": "",
  "LICENSE": "",
  "CHANGELOG.md": "",
};

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
  const { success, stdout } = await new Deno.Command("git", { args: ["-C", folder, ...identity, ...args] }).output();
  assert(success);
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("a release's source, module graph and version are the commit's", async () => {
  await using workshop = await Workshop.make();
  const [repository, scratch] = [`${workshop.path}/repository`, `${workshop.path}/scratch`];
  for (const [path, text] of Object.entries(FILES)) {
    await Deno.mkdir(`${repository}/${path}`.replace(/\/[^/]+$/, ""), { recursive: true });
    await Deno.writeTextFile(`${repository}/${path}`, text);
  }
  await git(repository, "init", "-q");
  await git(repository, "add", ".");
  await git(repository, "commit", "-q", "-m", "first");
  const hash = await git(repository, "rev-parse", "HEAD");
  assertEquals(await isOtherBuilder(repository, hash), false);
  // Uncommitted: another version, another package, a file of its own.
  await Deno.writeTextFile(`${repository}/shared/version.ts`, 'export const VERSION = "8.0.0";\n');
  await Deno.writeTextFile(`${repository}/manager/cli/main.ts`, 'import "./own.ts";\nimport "left-pad";\n');
  await Deno.writeTextFile(`${repository}/manager/cli/own.ts`, "");
  const folder = `${workshop.path}/release`;
  for (const one of [folder, scratch]) await Deno.mkdir(one);
  await assertRejects(() => layOutSource(repository, "--output=x", folder, scratch), "usage");
  await assertRejects(() => layOutSource(repository, "HEAD~1", folder, scratch), "usage");
  assertEquals(await layOutSource(repository, "HEAD", folder, scratch), hash);
  assertEquals(await isOtherBuilder(repository, hash), true);
  assertEquals(await factsOf(folder), { version: "7.0.0", v8Flags: "--v8-flags=--x", env: { A: "1" } });
  const { files, packages } = await graphOf(folder);
  assertEquals(packages, ["hono", "kysely"]);
  assertEquals(files.includes("shared/version.ts") && !files.some((path) => path.includes("own.ts")), true);
});

/** The table of promises and the tests beside it name each other. */
import { assert, assertEquals } from "../assert.ts";

const FOLDER = new URL("./", import.meta.url);

async function linkedTests(): Promise<URL[]> {
  const text = await Deno.readTextFile(new URL("README.md", FOLDER));
  const links = text.matchAll(/\]\(([^)]+\.test\.ts)\)/g).map(([, path = ""]) => new URL(path, FOLDER).href);
  return [...new Set(links)].map((href) => new URL(href));
}

Deno.test("README.md names tests that are there, and every promise has some", async () => {
  for (const url of await linkedTests()) assert(/^Deno\.test\(/m.test(await Deno.readTextFile(url)), url.pathname);
  const text = await Deno.readTextFile(new URL("README.md", FOLDER));
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (promise|---)/.test(line));
  assertEquals(rows.length, 11);
  for (const row of rows) assert(/\.test\.ts\)/.test(row) || row.includes("comes with the release manifests"), row);
});

Deno.test("README.md leaves out no test of its folder", async () => {
  const named = (await linkedTests()).map(({ pathname }) => pathname);
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".test.ts") || name === "table.test.ts") continue;
    assert(named.includes(new URL(name, FOLDER).pathname), name);
  }
});

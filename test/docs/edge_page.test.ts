/** The owners' page about the edge names a test for each thing that an edge cannot do, and leaves none of the threats' tests out. */
import { dirname, join } from "node:path";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals } from "../assert.ts";

const PAGE = "docs/owners/what-your-edge-can-do.md";

Deno.test("the page about the edge names tests for each thing that it cannot do, and all of the threats' tests", async () => {
  const text = await Deno.readTextFile(join(PROJECT_ROOT, PAGE));
  const tests = [...text.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map(([, link = ""]) => join(dirname(PAGE), link));
  for (const test of tests) assert(/^Deno\.test\(/m.test(await Deno.readTextFile(join(PROJECT_ROOT, test))), test);
  const [, table = ""] = /## What it cannot do\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("| ") && !/^\| (it cannot |-)/.test(line));
  assert(rows.length >= 10);
  assertEquals(rows.filter((row) => !row.includes(".test.ts)")), []);
  const threats = listFiles(PROJECT_ROOT, ["test/threats"], /(?<!table)\.test\.ts$/);
  assertEquals(threats.filter((file) => !tests.includes(file)), []);
});

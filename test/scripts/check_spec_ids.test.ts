import { checkSpecIds, formatTable } from "../../scripts/check_spec_ids.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { idsInName, readCitations, readPage } from "../../scripts/spec_ids/read.ts";
import { assert, assertEquals } from "../assert.ts";
import { withTempTree } from "../tools/temp_tree.ts";

/** A tree in which everything is in order; tests break one thing at a time. */
const GOOD = {
  "shared/spec/rows.md": "# Rows\n\n- **ROW-01** A row MUST be.\n- **ROW-02** And so on, see **ROW-01**.\n",
  "shared/row.ts": "// spec: ROW-01, ROW-02\nexport const row = 1;\n",
  "test/row.test.ts": 'Deno.test("ROW-01: row() is", () => {});\nDeno.test({ name: "ROW-02 too", fn() {} });\n',
};

function problemsOf(changes: Record<string, string>): Promise<string[]> {
  return withTempTree({ ...GOOD, ...changes }, async (root) => {
    const { problems } = await checkSpecIds(root);
    return problems.map(({ path, line, message }) => `${path}:${line}: ${message}`);
  });
}

Deno.test("checkSpecIds() finds nothing wrong when every id is cited and tested", async () => {
  assertEquals(await problemsOf({}), []);
});

Deno.test("checkSpecIds() finds an id that is defined twice", async () => {
  assertEquals(await problemsOf({ "shared/spec/tree.md": "**ROW-01** Again.\n" }), [
    "shared/spec/tree.md:1: ROW-01 is defined a second time",
  ]);
});

Deno.test("checkSpecIds() finds an id that is cited but not defined", async () => {
  assertEquals(await problemsOf({ "edge/a.ts": "export {};\n/** Keeps it. spec: ROW-01, ROW-09 */\n" }), [
    "edge/a.ts:2: ROW-09 is cited, but no page in shared/spec defines it",
  ]);
});

Deno.test("checkSpecIds() finds an id that a page refers to but none defines", async () => {
  assertEquals(await problemsOf({ "shared/spec/tree.md": "See **ROW-09**.\n" }), [
    "shared/spec/tree.md:1: ROW-09 is referred to, but not defined",
  ]);
});

Deno.test("checkSpecIds() finds an id that no code cites", async () => {
  assertEquals(await problemsOf({ "shared/row.ts": "// spec: ROW-01\n" }), [
    "shared/spec/rows.md:4: ROW-02 is cited nowhere in edge, manager or shared",
  ]);
});

Deno.test("checkSpecIds() does not take a citation in a test or script for one in code", async () => {
  const problems = await problemsOf({
    "shared/row.ts": "// spec: ROW-01\n",
    "test/b.ts": "// spec: ROW-02\n",
    "scripts/b.ts": "// spec: ROW-02\n",
  });
  assertEquals(problems.length, 1);
});

Deno.test("checkSpecIds() finds an id that no test names", async () => {
  assertEquals(
    await problemsOf({ "test/row.test.ts": '// ROW-02\nDeno.test("ROW-01", () => { use("ROW-02"); });\n' }),
    [
      "shared/spec/rows.md:4: ROW-02 is named by no test",
    ],
  );
});

Deno.test("checkSpecIds() does not count tests that never run", async () => {
  const ignored = 'Deno.test.ignore("ROW-01", () => {});\nDeno.test({ name: "ROW-02", ignore: true, fn() {} });\n';
  assertEquals((await problemsOf({ "test/row.test.ts": ignored })).length, 2);
});

Deno.test("checkSpecIds() counts names in steps, templates, tables and tests with a condition", async () => {
  const source = 'const x = 1;\nDeno.test("all", (t) => t.step(`ROW-01 for ${x}`, () => {}));\n' +
    'const cases = [{ name: "ROW-02" }];\nDeno.test({ name: "ROW-01", ignore: x > 1, fn() {} });\nexport { cases };\n';
  assertEquals(await problemsOf({ "test/row.test.ts": source }), []);
});

Deno.test("checkSpecIds() lets an id be not yet built when the page gives the reason", async () => {
  const page = `${
    GOOD["shared/spec/rows.md"]
  }- **ROW-03** Later.\n\n## Not yet built\n\n- **ROW-03**: proofs come later.\n`;
  assertEquals(await problemsOf({ "shared/spec/rows.md": page }), []);
  assertEquals(await problemsOf({ "shared/spec/rows.md": page.replace(": proofs come later.", "") }), [
    "shared/spec/rows.md:9: ROW-03 is listed as not yet built without a reason",
  ]);
});

Deno.test("checkSpecIds() finds what is listed as not yet built, but is built or not defined", async () => {
  const page = `${
    GOOD["shared/spec/rows.md"]
  }\n## Not yet built\n\n- **ROW-02**: no reason holds.\n- **ROW-08**: nor here.\n`;
  assertEquals(await problemsOf({ "shared/spec/rows.md": page }), [
    "shared/spec/rows.md:9: ROW-08 is listed as not yet built, but not defined",
    "shared/spec/rows.md:4: ROW-02 is listed as not yet built, but is cited and tested",
  ]);
});

Deno.test("checkSpecIds() fails when no page defines anything", async () => {
  const outcome = await withTempTree({ "shared/spec/a.md": "# Empty\n" }, checkSpecIds).catch(() => "failed");
  assertEquals(outcome, "failed");
});

Deno.test("readPage() takes only what opens a paragraph or item for a definition, and no code", () => {
  const page = readPage(
    "p.md",
    "**A-01** one\nand **A-02** inside\n**A-03** goes on\n\n1. **A-04** item\n   - **A-05**\n\n```\n**A-06**\n```\n\n    **A-07**\n",
  );
  assertEquals(page.defined.map((one) => one.id), ["A-01", "A-04", "A-05"]);
  assertEquals(page.referred.map((one) => one.id), ["A-02", "A-03"]);
});

Deno.test("readCitations() reads every comment form and reports a citation without an id", () => {
  const source =
    "// spec: A-01\nx(); // because (spec: A-02, A-03)\n * spec: B-10.\n/* spec: B-11 */\n// spec: soon\n'spec: A-09'";
  const { cited, unreadable } = readCitations("a.ts", source);
  assertEquals(cited.map((one) => `${one.line} ${one.id}`), ["1 A-01", "2 A-02", "2 A-03", "3 B-10", "4 B-11"]);
  assertEquals(unreadable.map((one) => one.line), [5]);
});

Deno.test("idsInName() finds ids and leaves shorter numbers alone", () => {
  assertEquals(idsInName("ROW-03, PUSH-07: x() does RFC-1 things (A-22)"), ["ROW-03", "PUSH-07", "A-22"]);
});

Deno.test("formatTable() aligns its columns", () => {
  const rows = [{ id: "A-01", page: "a.md", cited: 12, tested: 1, state: "built" as const }];
  assertEquals(formatTable(rows), "id    page  cited  tested  state\nA-01  a.md  12     1       built");
});

Deno.test("check_spec_ids.ts prints one object with --json, and exits with 1 when something is wrong", async () => {
  const run = (root: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${PROJECT_ROOT}/scripts/check_spec_ids.ts`, root, "--json"],
    }).output();
  await withTempTree(GOOD, async (root) => {
    const good = await run(root);
    assertEquals(good.code, 0);
    const row = { page: "shared/spec/rows.md", cited: 1, tested: 1, state: "built" };
    const expected = { ok: true, ids: [{ id: "ROW-01", ...row }, { id: "ROW-02", ...row }], problems: [] };
    assertEquals(JSON.parse(new TextDecoder().decode(good.stdout)), expected);
    await Deno.writeTextFile(`${root}/shared/row.ts`, "");
    const bad = await run(root);
    assertEquals(bad.code, 1);
    assert(new TextDecoder().decode(bad.stderr).includes("ROW-01 is cited nowhere"));
  });
});

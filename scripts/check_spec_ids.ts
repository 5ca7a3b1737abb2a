/**
 * Keeps the specification, the code and the tests together: every id that a page in shared/spec defines must be cited
 * by code (`// spec: ROW-03`) and named by a test, or be listed under "Not yet built" with the reason.
 * Prints a table; with `--json` one object, with `--quiet` only what is wrong.
 */
import { readFacts } from "./facts/read.ts";
import { listFiles, PROJECT_ROOT } from "./files.ts";
import { judgeSpecIds, type SpecProblem, type SpecRow } from "./spec_ids/judge.ts";
import { idsInName, type Mention, readCitations, readPage } from "./spec_ids/read.ts";

/** Tests of this very check name ids as material. */
const TESTS_OF_CHECKS = "test/scripts/check_";

/** The table and the problems of the project at `root`. Throws when there is no page that defines anything. */
export async function checkSpecIds(root: string): Promise<{ rows: SpecRow[]; problems: SpecProblem[] }> {
  const read = (path: string) => Deno.readTextFileSync(`${root}/${path}`);
  const pages = listFiles(root, ["shared/spec"], /\.md$/).map((path) => readPage(path, read(path)));
  const code = listFiles(root, ["edge", "manager", "scripts/publisher", "shared"], /\.[cm]?[jt]sx?$/);
  const citations = code.map((path) => readCitations(path, read(path)));
  const result = judgeSpecIds({ pages, citations, tested: await readTestNames(root) });
  if (result.rows.length === 0) throw new Error("no page in shared/spec defines an id: is the path right?");
  return result;
}

async function readTestNames(root: string): Promise<Mention[]> {
  const paths = listFiles(root, ["test"], /\.[cm]?[jt]sx?$/).filter((path) => !path.startsWith(TESTS_OF_CHECKS));
  const facts = await readFacts(root, paths);
  return facts.flatMap((fact) => {
    if (fact.kind !== "test_name") return [];
    return idsInName(fact.text).map((id) => ({ id, path: fact.path, line: fact.line }));
  });
}

/** The table as text, one id a line. */
export function formatTable(rows: readonly SpecRow[]): string {
  const header = ["id", "page", "cited", "tested", "state"];
  const cells = rows.map((row) => [row.id, row.page, `${row.cited}`, `${row.tested}`, row.state]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0))
  );
  const format = (line: readonly string[]) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return [header, ...cells].map(format).join("\n");
}

if (import.meta.main) {
  const { rows, problems } = await checkSpecIds(Deno.args.find((one) => !one.startsWith("--")) ?? PROJECT_ROOT);
  if (Deno.args.includes("--json")) console.log(JSON.stringify({ ok: problems.length === 0, ids: rows, problems }));
  else if (!Deno.args.includes("--quiet")) console.log(formatTable(rows));
  for (const { path, line, message } of problems) console.error(`${path}:${line}: ${message}`);
  if (problems.length > 0) Deno.exit(1);
}

/** Decides which spec ids are in order. Pure: mentions in, problems and a table out. */
import type { Citations, Mention, Page } from "./read.ts";

/** Everything the files say about spec ids. */
export type Survey = {
  readonly pages: readonly Page[];
  readonly citations: readonly Citations[];
  /** Ids in names of tests; an id that no page defines may be an algorithm's name, and is passed over. */
  readonly tested: readonly Mention[];
};

/** One id: where it is defined, and how often code cites and tests name it. */
export type SpecRow = {
  readonly id: string;
  readonly page: string;
  readonly cited: number;
  readonly tested: number;
  readonly state: "built" | "not yet built" | "missing";
};

/** What is wrong; `path:line` leads to it. */
export type SpecProblem = { readonly path: string; readonly line: number; readonly message: string };

/** The table of all defined ids, sorted, and the list of everything that is wrong. */
export function judgeSpecIds(survey: Survey): { readonly rows: SpecRow[]; readonly problems: SpecProblem[] } {
  const definitions = survey.pages.flatMap((page) => page.defined);
  const exempt = survey.pages.flatMap((page) => page.notYetBuilt);
  const cited = survey.citations.flatMap((one) => one.cited);
  const known = new Set(definitions.map((one) => one.id));
  const problems = [
    ...duplicates(definitions, "is defined a second time"),
    ...duplicates(exempt, "is listed as not yet built a second time"),
    ...unknown(cited, known, "is cited, but no page in shared/spec defines it"),
    ...unknown(exempt, known, "is listed as not yet built, but not defined"),
    ...unknown(survey.pages.flatMap((page) => page.referred), known, "is referred to, but not defined"),
    ...survey.citations.flatMap((one) => one.unreadable).map((at) => ({ ...at, message: "this citation names no id" })),
    ...exempt.filter((one) => one.reason === "").map((one) =>
      problem(one, "is listed as not yet built without a reason")
    ),
  ];
  const rows: SpecRow[] = [];
  for (const definition of firstOfEach(definitions)) {
    const row = judge(definition, cited, survey.tested, exempt.some((one) => one.id === definition.id));
    rows.push(row.row);
    problems.push(...row.problems);
  }
  return { rows: rows.sort((a, b) => a.id < b.id ? -1 : 1), problems };
}

function judge(
  definition: Mention,
  allCited: readonly Mention[],
  allTested: readonly Mention[],
  isExempt: boolean,
): { row: SpecRow; problems: SpecProblem[] } {
  const cited = allCited.filter((one) => one.id === definition.id).length;
  const tested = allTested.filter((one) => one.id === definition.id).length;
  const isBuilt = cited > 0 && tested > 0;
  const state = isBuilt ? "built" : isExempt ? "not yet built" : "missing";
  const problems: SpecProblem[] = [];
  if (isExempt && isBuilt) problems.push(problem(definition, "is listed as not yet built, but is cited and tested"));
  if (!isExempt && cited === 0) problems.push(problem(definition, "is cited nowhere in edge, manager or shared"));
  if (!isExempt && tested === 0) problems.push(problem(definition, "is named by no test"));
  return { row: { id: definition.id, page: definition.path, cited, tested, state }, problems };
}

function duplicates(mentions: readonly Mention[], what: string): SpecProblem[] {
  return mentions.filter((one, index) => mentions.findIndex((other) => other.id === one.id) < index)
    .map((one) => problem(one, what));
}

function firstOfEach(mentions: readonly Mention[]): Mention[] {
  return mentions.filter((one, index) => mentions.findIndex((other) => other.id === one.id) === index);
}

function unknown(mentions: readonly Mention[], known: ReadonlySet<string>, what: string): SpecProblem[] {
  return mentions.filter((one) => !known.has(one.id)).map((one) => problem(one, what));
}

function problem(at: Mention, what: string): SpecProblem {
  return { path: at.path, line: at.line, message: `${at.id} ${what}` };
}

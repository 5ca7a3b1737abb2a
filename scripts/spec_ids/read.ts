/** Reads spec ids out of pages and code. Pure: text in, ids with their lines out. */

/** An id and where it stands. */
export type Mention = { readonly id: string; readonly path: string; readonly line: number };

/** What a page says: ids it defines, ids it lists as not yet built (with the reason), and ids it refers to. */
export type Page = {
  readonly defined: readonly Mention[];
  readonly notYetBuilt: readonly (Mention & { readonly reason: string })[];
  readonly referred: readonly Mention[];
};

/** Citations of one file: good ones, and comments that look like one but name no id. */
export type Citations = { readonly cited: readonly Mention[]; readonly unreadable: readonly Omit<Mention, "id">[] };

const ID = "[A-Z]+-\\d{2,}";
/** An id in bold that opens a paragraph or list item is a definition. */
const DEFINITION = new RegExp(`^(?:[-*] +|\\d+\\. +)?\\*\\*(${ID})\\*\\*(.*)$`);
const ANY_BOLD_ID = new RegExp(`\\*\\*(${ID})\\*\\*`, "g");
const NOT_YET_BUILT = /^#+ +Not yet built *$/;
const CITATION = /(?:\/\/|\/?\*+)\s*(?:.*?[\s(])?spec:\s*(.*)$/;
const CITED_LIST = new RegExp(`^(${ID}(?:,\\s*${ID})*)(?![\\w-])`);

/** Reads one page of Markdown. Fenced and indented code is skipped. */
export function readPage(path: string, markdown: string): Page {
  const page = {
    defined: [] as Mention[],
    notYetBuilt: [] as (Mention & { reason: string })[],
    referred: [] as Mention[],
  };
  let isFenced = false;
  let isInNotYetBuilt = false;
  let isAfterBlank = true;
  for (const [index, text] of markdown.split("\n").entries()) {
    const line = index + 1;
    if (/^ {0,3}(```|~~~)/.test(text)) isFenced = !isFenced;
    if (isFenced || /^ {4}/.test(text) && isAfterBlank) continue;
    if (/^#+ /.test(text)) isInNotYetBuilt = NOT_YET_BUILT.test(text);
    const [, opening, rest = ""] = DEFINITION.exec(text.trimStart()) ?? [];
    const opens = opening !== undefined && (isAfterBlank || /^\s*([-*]|\d+\.) /.test(text));
    if (opens && isInNotYetBuilt) page.notYetBuilt.push({ id: opening, path, line, reason: reasonOf(rest) });
    else if (opens) page.defined.push({ id: opening, path, line });
    const mentioned = [...text.matchAll(ANY_BOLD_ID)].map((match) => match[1] ?? "");
    for (const id of opens ? mentioned.slice(1) : mentioned) page.referred.push({ id, path, line });
    isAfterBlank = text.trim() === "";
  }
  return page;
}

function reasonOf(rest: string): string {
  return rest.replace(/^[\s:–—-]+/, "").trim();
}

/** Reads the `spec: ROW-03, ROW-04` comments of one source file. */
export function readCitations(path: string, source: string): Citations {
  const cited: Mention[] = [];
  const unreadable: Omit<Mention, "id">[] = [];
  for (const [index, text] of source.split("\n").entries()) {
    const list = CITATION.exec(text)?.[1];
    if (list === undefined) continue;
    const ids = CITED_LIST.exec(list)?.[1];
    if (ids === undefined) unreadable.push({ path, line: index + 1 });
    for (const id of ids?.split(/,\s*/) ?? []) cited.push({ id, path, line: index + 1 });
  }
  return { cited, unreadable };
}

/** All ids in the name of a test. */
export function idsInName(name: string): string[] {
  return [...name.matchAll(new RegExp(`\\b${ID}\\b`, "g"))].map((match) => match[0]);
}

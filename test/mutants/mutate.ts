/**
 * Makes mutants of a source: each differs in one place, by an operator turned round, a check taken out, or a constant that is one
 * off. Works on formatted text, in which binary operators stand between spaces and nothing else does.
 */

export interface Mutant {
  /** From 1. */
  readonly line: number;
  readonly what: string;
  readonly source: string;
}

const SWAPS: readonly (readonly [RegExp, string])[] = [
  ...[[/ === /g, " !== "], [/ !== /g, " === "], [/ < /g, " <= "], [/ <= /g, " < "]] as const,
  ...[[/ > /g, " >= "], [/ >= /g, " > "], [/ && /g, " || "], [/ \|\| /g, " && "]] as const,
  ...[[/ \+ /g, " - "], [/ - /g, " + "], [/ \+= 1\b/g, " += 2"]] as const,
  ...[[/\btrue\b/g, "false"], [/\bfalse\b/g, "true"], [/\breturn null;/g, "throw null;"]] as const,
  [/ \?\? /g, " && "],
];

/** A condition as a whole, and a check that stands alone on its line. */
const CONDITION = /^(?<before>\s*(?:\} else )?if \()(?<condition>.+)(?<after>\) (?:\{|throw|return).*)$/;
const CALLED_CHECK = /^(?<indent>\s*)(?:await )?(?:this\.)?#?(?:require|judge|verify)\w*\(.*\);$/;

/** All mutants of a source, in its order. Comments, imports, types and messages stay as they are. */
export function mutantsOf(source: string): Mutant[] {
  const lines = source.split("\n");
  const mutants: Mutant[] = [];
  const put = (at: number, changed: string, what: string) =>
    mutants.push({ line: at + 1, what, source: [...lines.slice(0, at), changed, ...lines.slice(at + 1)].join("\n") });
  for (const at of codeLines(lines)) {
    const line = lines[at] ?? "";
    for (const [operator, turned] of SWAPS) {
      for (const { index, 0: found } of line.matchAll(operator)) {
        if (isQuoted(line, index)) continue;
        put(
          at,
          line.slice(0, index) + turned + line.slice(index + found.length),
          `${found.trim()} becomes ${turned.trim()}`,
        );
      }
    }
    const { before, condition, after } = CONDITION.exec(line)?.groups ?? {};
    if (before !== undefined && condition !== undefined && after !== undefined) {
      put(at, `${before}(${condition}) && false${after}`, "the condition never holds");
      put(at, `${before}(${condition}) || true${after}`, "the condition always holds");
    }
    const { indent } = CALLED_CHECK.exec(line)?.groups ?? {};
    if (indent !== undefined) put(at, `${indent};`, "the check is taken out");
  }
  return mutants;
}

/** Indices of lines that hold code which does something. */
function* codeLines(lines: readonly string[]): Generator<number> {
  let inComment = false;
  let inDeclaration = false;
  for (const [at, line] of lines.entries()) {
    const text = line.trim();
    if (text.startsWith("/*")) inComment = true;
    if (/^(?:import|export type|export interface|interface|type)\b/.test(text)) inDeclaration = true;
    if (!inComment && !inDeclaration && text !== "" && !text.startsWith("//")) yield at;
    if (text.endsWith("*/")) inComment = false;
    if (inDeclaration && (text.endsWith(";") && !line.startsWith(" ") || line === "}")) inDeclaration = false;
  }
}

/** Whether a place in a line is inside of a text or of a comment at its end. */
function isQuoted(line: string, index: number): boolean {
  const before = line.slice(0, index);
  const isOdd = (mark: string) => before.split(mark).length % 2 === 0;
  return isOdd('"') || isOdd("`") || before.includes("// ") || /\bspec:/.test(before);
}

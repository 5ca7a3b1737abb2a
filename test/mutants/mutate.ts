/**
 * Makes mutants of a source, all of them in one text: at each site stands a switch (switch.ts) that works as written until a mutant
 * is turned on by its number. So tests load once for thousands of mutants.
 */
import type { Site, Span } from "./sites.ts";

/** One change in one place of a source. */
export interface Mutant {
  /** From 1. */
  readonly line: number;
  /** The line as written, without the blanks around it. */
  readonly text: string;
  readonly what: string;
}

const TURNED: Readonly<Record<string, string>> = {
  ...{ "===": "!==", "!==": "===", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+" },
  ...{ "&&": "||", "||": "&&", "??": "&&" },
};

/** A source with switches, and its mutants; that of index i is turned on by the number `first` + i. */
export interface Mutated {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

/** @param imported where the switches come from, a URL */
export function mutate(source: string, sites: readonly Site[], first: number, imported: string): Mutated {
  const mutants: Mutant[] = [];
  const number = (at: number, what: string): number => {
    const before = source.slice(0, at).split("\n");
    const text = (before.at(-1) ?? "") + (source.slice(at).split("\n", 1)[0] ?? "");
    mutants.push({ line: before.length, text: text.trim(), what });
    return first + mutants.length - 1;
  };
  const text = new Rendering(source, sites, number).render([0, source.length]);
  return { source: `import { $m } from ${JSON.stringify(imported)}; ${text}`, mutants };
}

/** Writes a source anew, from the outside in. */
class Rendering {
  readonly #source: string;
  readonly #sites: readonly (readonly [Site, readonly number[]])[];

  constructor(source: string, sites: readonly Site[], number: (at: number, what: string) => number) {
    this.#source = source;
    // Of two sites at one place, such as a condition that is a comparison, the condition is the outer one.
    const sorted = withoutFlips(sites).sort((a, b) => a.at[0] - b.at[0] || b.at[1] - a.at[1] || rank(a) - rank(b));
    const numbered = sorted.map((site) => [site, changesOf(site).map((what) => number(placeOf(site, source), what))]);
    this.#sites = numbered as [Site, number[]][];
  }

  /** The text between two places; `inside` is a site that lies there and is being written. */
  render([from, to]: Span, inside: Site | null = null): string {
    const after = inside === null ? 0 : this.#sites.findIndex(([site]) => site === inside) + 1;
    let text = "";
    let at = from;
    for (const [site, numbers] of this.#sites.slice(after)) {
      if (site.at[0] < at || site.at[1] > to) continue;
      text += this.#source.slice(at, site.at[0]) + this.#switch(site, numbers);
      at = site.at[1];
    }
    return text + this.#source.slice(at, to);
  }

  #switch(site: Site, [id = 0, other = 0]: readonly number[]): string {
    const inner = (span: Span) => this.render(span, site);
    switch (site.kind) {
      case "operator":
        return `$m.operator(${id}, ${JSON.stringify(site.operator)}, ${inner(site.left)}, ${inner(site.right)})`;
      case "logical": {
        const right = `(${inner(site.right)})`;
        const [written, turned] = [site.operator, TURNED[site.operator]];
        return `(($m.put(${
          inner(site.left)
        }), $m.isOn(${id})) ? $m.got() ${turned} ${right} : $m.got() ${written} ${right})`;
      }
      case "condition":
        return `$m.condition(${id}, ${other}, ${inner(site.at)})`;
      case "not":
        return `$m.not(${id}, ${inner(site.of)})`;
      case "boolean":
        return `$m.boolean(${id}, ${site.value})`;
      case "one":
        return `$m.one(${id})`;
      case "check":
      case "throw":
        return `{ if (!$m.isOn(${id})) { ${inner(site.at)} } }`;
    }
  }
}

/** Leaves out what turns a whole condition round: it dies if that the condition never holds dies, or that it always does. */
function withoutFlips(sites: readonly Site[]): Site[] {
  const conditions = new Set(sites.flatMap(({ kind, at }) => kind === "condition" ? [at.join()] : []));
  return sites.filter((site) => {
    const isFlip = site.kind === "not" ||
      site.kind === "operator" && (site.operator === "===" || site.operator === "!==");
    return !isFlip || !conditions.has(site.at.join());
  });
}

function rank({ kind }: Site): number {
  return kind === "condition" || kind === "check" ? 0 : 1;
}

/** Where a reader looks for the change: an operator may stand lines below the beginning of what it is in. */
function placeOf(site: Site, source: string): number {
  if (site.kind !== "operator" && site.kind !== "logical") return site.at[0];
  return source.indexOf(site.operator, site.left[1]);
}

function changesOf(site: Site): readonly string[] {
  switch (site.kind) {
    case "operator":
    case "logical":
      return [`${site.operator} becomes ${TURNED[site.operator]}`];
    case "condition":
      return ["the condition never holds", "the condition always holds"];
    case "not":
      return ["! is taken out"];
    case "boolean":
      return [`${site.value} becomes ${!site.value}`];
    case "one":
      return ["+= 1 becomes += 2"];
    case "check":
      return ["the check is taken out"];
    case "throw":
      return ["the throw is taken out"];
  }
}

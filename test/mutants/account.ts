/** What a run comes to. */
import { type Fate, keyOf, type MutantName } from "./results.ts";

const LEAST_DEAD = 0.95;

/** The last line that is printed. */
export interface Summary {
  readonly mutants: number;
  /** With those that made a test run on and on. */
  readonly dead: number;
  /** Of the dead. */
  readonly timedOut: number;
  /** Alive, and listed with a reason. */
  readonly listed: number;
  /** Alive otherwise. */
  readonly survived: number;
  /** `dead` of `mutants`. */
  readonly share: number;
}

export interface Account {
  readonly lines: readonly string[];
  readonly summary: Summary;
  readonly isGood: boolean;
}

/** @param listed the survivors that are known, of the files that were mutated */
export function account(fates: readonly Fate[], listed: readonly MutantName[]): Account {
  const known = new Set(listed.map(keyOf));
  const alive = fates.filter(({ end }) => end === "survived" || end === "unreached");
  const surprising = alive.filter((fate) => !known.has(keyOf(fate)));
  const living = new Set(alive.map(keyOf));
  const gone = listed.filter((one) => !living.has(keyOf(one)));
  const dead = fates.length - alive.length;
  const summary = {
    mutants: fates.length,
    dead,
    timedOut: fates.filter(({ end }) => end === "timeout").length,
    listed: alive.length - surprising.length,
    survived: surprising.length,
    share: fates.length === 0 ? 0 : Math.floor(1000 * dead / fates.length) / 1000,
  };
  const lines = [
    ...tableOf(fates, known),
    ...surprising.sort(byPlace).map((fate) =>
      `${fate.end} ${fate.path}:${fate.line} ${fate.what} [${fate.nth}] | ${fate.text}`
    ),
    ...gone.map(({ path, what, text }) =>
      `listed in survivors.ts, but it died or is no more: ${path} ${what} | ${text}`
    ),
  ];
  const isGood = summary.share >= LEAST_DEAD && surprising.length === 0 && gone.length === 0;
  return { lines, summary, isGood };
}

function tableOf(fates: readonly Fate[], known: ReadonlySet<string>): string[] {
  const paths = [...new Set(fates.map(({ path }) => path))].sort();
  return paths.map((path) => {
    const { length: mutants } = fates.filter((fate) => fate.path === path);
    const alive = fates.filter((fate) => fate.path === path && (fate.end === "survived" || fate.end === "unreached"));
    const listed = alive.filter((fate) => known.has(keyOf(fate))).length;
    const timedOut = fates.filter((fate) => fate.path === path && fate.end === "timeout").length;
    return `${path}: ${mutants - alive.length} of ${mutants} dead (${timedOut} timed out), ${listed} listed, ${
      alive.length - listed
    } survived`;
  });
}

function byPlace(a: Fate, b: Fate): number {
  return a.path.localeCompare(b.path) || a.line - b.line;
}

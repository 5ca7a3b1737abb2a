/** What became of each mutant, in a file to which a line is added at once: an interrupted run goes on where it was. */
import type { Mutant } from "./mutate.ts";

export interface Fate {
  readonly path: string;
  readonly line: number;
  /** The line of the source. */
  readonly text: string;
  readonly what: string;
  /** The how manieth with this text and this change in its file, from 0. */
  readonly nth: number;
  /** `timeout`: a test took many times as long as without the mutant. `unreached`: no test comes that way. */
  readonly end: "died" | "timeout" | "survived" | "unreached";
  /** The test that noticed. */
  readonly by?: string;
}

/** By what a mutant is known from run to run; the number of its line may change. */
export type MutantName = Pick<Fate, "path" | "text" | "what" | "nth">;

export function keyOf({ path, text, what, nth }: MutantName): string {
  return JSON.stringify([path, text, what, nth]);
}

/** The names of all mutants of a file. */
export function nameAll(path: string, mutants: readonly Mutant[]): (MutantName & { readonly line: number })[] {
  const seen = new Map<string, number>();
  return mutants.map(({ line, text, what }) => {
    const key = JSON.stringify([text, what]);
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    return { path, line, text, what, nth };
  });
}

/** The mutants that died in an earlier run. @param file null for none */
export async function readDead(file: string | null): Promise<ReadonlyMap<string, Fate>> {
  const dead = new Map<string, Fate>();
  if (file === null) return dead;
  try {
    for (const line of (await Deno.readTextFile(file)).split("\n")) {
      if (line === "") continue;
      const fate = JSON.parse(line) as Fate;
      if (fate.end === "died" || fate.end === "timeout") dead.set(keyOf(fate), fate);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return dead;
}

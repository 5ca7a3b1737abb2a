/** How a survivor is written down. */
import type { MutantName } from "../results.ts";

export interface Survivor extends MutantName {
  readonly reason: string;
}

/** What is changed; and of several such changes in one line, which. */
type Change = string | readonly [what: string, nth: number];
type Place = readonly [path: string, text: string, ...changes: Change[]];

/** Survivors for one reason: lines of the code, each with all changes of it that nothing notices. */
export function because(reason: string, ...places: readonly Place[]): Survivor[] {
  return places.flatMap(([path, text, ...changes]) =>
    changes.map((change) => {
      const [what, nth] = typeof change === "string" ? [change, 0] as const : change;
      return { path, text, what, nth, reason };
    })
  );
}

export const NEVER = "the condition never holds";
export const ALWAYS = "the condition always holds";

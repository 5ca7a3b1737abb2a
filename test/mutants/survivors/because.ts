/** How a survivor is written down. */
import type { MutantName } from "../results.ts";

export interface Survivor extends MutantName {
  readonly reason: string;
}

type Place = readonly [path: string, text: string, what: string, nth?: number];

export function because(reason: string, ...places: readonly Place[]): Survivor[] {
  return places.map(([path, text, what, nth = 0]) => ({ path, text, what, nth, reason }));
}

export const NEVER = "the condition never holds";
export const ALWAYS = "the condition always holds";

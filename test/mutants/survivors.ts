/** Mutants that no test can tell from the code, and why. The run says so when one of them dies or is no more. */
import type { MutantName } from "./results.ts";

export interface Survivor extends MutantName {
  readonly reason: string;
}

export const SURVIVORS: readonly Survivor[] = [];

/** What the process that runs the tests is told, and what it answers. */

/** Begins a line that is an answer. */
export const MARK = "@mutants@ ";

export type Order =
  | { readonly kind: "measure" }
  | { readonly kind: "attack"; readonly mutant: number; readonly tests: readonly string[] };

export type Report =
  /** Everything is loaded; `met` are the switches met on the way. */
  | { readonly kind: "loaded"; readonly met: readonly number[] }
  | { readonly kind: "begins"; readonly test: string }
  | {
    readonly kind: "measured";
    readonly test: string;
    readonly isGood: boolean;
    readonly millis: number;
    readonly met: readonly number[];
  }
  | { readonly kind: "died"; readonly by: string }
  /** The test fails with the mutant, and then without it too: what the mutant did stays behind. */
  | { readonly kind: "unclear"; readonly by: string }
  | { readonly kind: "survived" }
  /** Ready for the next order. */
  | { readonly kind: "done"; readonly megabytes: number };

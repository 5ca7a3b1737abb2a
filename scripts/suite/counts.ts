/** Counting test results. Pure: the output of `deno test` in, numbers out. */

/** How many tests ended how. Steps of a test are part of it and are not counted. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** No tests at all. */
export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

// deno-lint-ignore no-control-regex
const COLOUR = /\u001b\[[0-9;]*m/g;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;

/**
 * The counts of one run of `deno test`, from its closing line. The last such line counts: a test may print one too.
 * A run that failed without saying how many tests did (a module that does not load) is one failure.
 */
export function readCounts(output: string, succeeded: boolean): Counts {
  const lines = output.replace(COLOUR, "").split("\n").map((line) => SUMMARY.exec(line)).filter((match) =>
    match !== null
  );
  const last = lines.at(-1);
  const counts = {
    passed: Number(last?.[1] ?? 0),
    failed: Number(last?.[2] ?? 0),
    skipped: Number(last?.[3] ?? 0),
  };
  return succeeded || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Both runs together. */
export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The closing line that people and CI read. */
export function closingLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/** A run in which nothing ran proves nothing. */
export function isGood(counts: Counts): boolean {
  return counts.failed === 0 && counts.passed > 0;
}

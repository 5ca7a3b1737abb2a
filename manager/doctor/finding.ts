/** What the doctor says of one thing. */

/** `good` and `note` need nothing; a `warning` wants attention; a `fault` keeps something from working. */
export type Level = "good" | "note" | "warning" | "fault";

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  /** What to do; null for what is good. */
  readonly remedy: string | null;
}

export function good(check: string, found: string): Finding {
  return { check, level: "good", found, remedy: null };
}

export function bad(level: Exclude<Level, "good">, check: string, found: string, remedy: string): Finding {
  return { check, level, found, remedy };
}

/** What a bench hands back, and whether its targets are met. Pure. */

/** A figure that the issue asks for, and what was found. */
export interface Target {
  /** What is compared, such as "requests/s against the PHP peer". */
  readonly what: string;
  readonly bound: "at least" | "at most";
  readonly wanted: number;
  /** Null when it could not be measured; `unmeasured` then says why. */
  readonly found: number | null;
  readonly unmeasured?: string;
  /** Behind both figures: "x", "MiB", "s". */
  readonly unit: string;
}

/** Lines and columns, of any kind of result. Numbers are formatted by {@link figure}. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A profile that shows what costs what. */
export interface Profile {
  readonly title: string;
  readonly text: string;
}

/** The outcome of one bench. */
export interface BenchReport {
  readonly targets: readonly Target[];
  readonly tables: readonly Table[];
  /** What a reader must know: something absent, errors, circumstances. */
  readonly notes: readonly string[];
  readonly profiles: readonly Profile[];
}

/** Whether a target is met; null when nobody knows. */
export function isMet({ bound, wanted, found }: Target): boolean | null {
  if (found === null || Number.isNaN(found)) return null;
  return bound === "at least" ? found >= wanted : found <= wanted;
}

/** The word for it in tables. */
export function verdict(target: Target): string {
  const met = isMet(target);
  return met === null ? "not measured" : met ? "met" : "MISSED";
}

/** True when some target is missed: then a profile has to show why. */
export function hasMissed(targets: readonly Target[]): boolean {
  return targets.some((target) => isMet(target) === false);
}

/** A number as people read it: three or four significant digits, thousands apart. */
export function figure(value: string | number | null): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

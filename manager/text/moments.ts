/** Times and durations as people read and write them. Pure. */
import { PosternError } from "../../shared/errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment in UTC to the second: `2026-11-22 01:43:05Z`. Beyond the years 0 to 9999 it says so. */
export function moment(millis: number): string {
  if (!(millis >= -62_167_219_200_000 && millis <= 253_402_300_799_999)) return "beyond the calendar";
  return new Date(millis).toISOString().replace("T", " ").replace(/\.\d{3}Z$/, "Z");
}

/** The same for JSON, in ISO 8601; null stays null. */
export function isoOrNull(millis: number | null): string | null {
  if (millis === null || !(Math.abs(millis) <= 8.64e15)) return null;
  return new Date(millis).toISOString();
}

/** How long something takes or took, in one unit: `800 ms`, `2.4 s`, `12 min`, `5 h`, `3 days`. */
export function duration(millis: number): string {
  const value = Math.abs(millis);
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 99_500) return `${(value / 1_000).toFixed(value < 9_950 ? 1 : 0)} s`;
  if (value < 99.5 * 60_000) return `${Math.round(value / 60_000)} min`;
  if (value < 47.5 * 3_600_000) return `${Math.round(value / 3_600_000)} h`;
  return `${Math.round(value / 86_400_000)} days`;
}

/** `in 4 min` or `3 h ago`. */
export function relative(millis: number, now: number): string {
  return millis >= now ? `in ${duration(millis - now)}` : `${duration(now - millis)} ago`;
}

/** Sizes for people: `812 B`, `3.4 KiB`, `25 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const unit = bytes < 1_048_576 ? "KiB" : bytes < 1_073_741_824 ? "MiB" : "GiB";
  const value = bytes / { KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 }[unit];
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
}

/**
 * Reads a duration as it is written on the command line: `30s`, `5m`, `12h`, `7d`.
 *
 * @param name of the option, for the error
 * @throws `usage` for any other form, or outside of the bounds (Millis)
 */
export function parseDuration(text: string, name: string, bounds: { min: number; max: number }): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const millis = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (millis >= bounds.min && millis <= bounds.max) return millis;
  const range = `from ${duration(bounds.min)} to ${duration(bounds.max)}`;
  throw new PosternError("usage", `${name} takes a duration such as 30s, 5m, 12h or 7d, ${range}; found '${text}'`);
}

/**
 * Reads a point in time as it is written on the command line: a date, a moment in ISO 8601 (UTC unless it says otherwise), or how long
 * ago it was (`12h`, `7d`).
 *
 * @param name of the option, for the error
 * @param now Millis
 * @throws `usage` for any other form
 */
export function parsePoint(text: string, name: string, now: number): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ago = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (!Number.isNaN(ago)) return now - ago;
  const isIso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const zoned = /Z|[T ].*[+-]\d\d:\d\d$/.test(text) || text.length === 10 ? text : `${text}Z`;
  const point = isIso ? Date.parse(zoned.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(point)) return point;
  throw new PosternError(
    "usage",
    `${name} takes a date, a moment such as 2026-11-22T01:43Z, or 12h, 7d; found '${text}'`,
  );
}

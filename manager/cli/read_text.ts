/** Small texts from a file or standard input. */
import { resolve } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { readBounded } from "../files/read_bounded.ts";
import type { CliSurroundings } from "./surroundings.ts";

/** A file's text, or that of standard input for `-`. @throws `not_found`, `too_large`, `malformed` */
export async function readText(path: string, maxBytes: number, s: CliSurroundings): Promise<string> {
  const bytes = path === "-" ? await s.readInput(maxBytes) : await readBounded(resolve(s.cwd, path), maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new PosternError("malformed", `${path === "-" ? "The input" : path} is not UTF-8 text`, { cause });
  }
}

/** A number in an option. @throws `usage` */
export function wholeNumber(text: string, name: string, bounds: { min: number; max: number }): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw new PosternError("usage", `${name} takes a number from ${bounds.min} to ${bounds.max}; found '${text}'`);
}

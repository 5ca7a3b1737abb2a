/**
 * Semantic Versioning 2.0.0, without build metadata: it has no part in the order, so two different releases could claim one
 * place in it.
 */
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const NUMBER = "(?:0|[1-9][0-9]*)";
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const VERSION = new RegExp(`^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?$`);
const DIGITS = /^[0-9]+$/;

/** Whether a text is a version. */
export function isVersion(text: string): boolean {
  return text.length <= LIMITS.maxReleaseNameChars && VERSION.test(text);
}

/** Passes a version. @throws `too_large`; `malformed` for anything else, build metadata included */
export function requireVersion(text: string, what: string): string {
  if (text.length > LIMITS.maxReleaseNameChars) {
    throw new PosternError("too_large", `${what} has more than ${LIMITS.maxReleaseNameChars} characters`);
  }
  if (!VERSION.test(text)) {
    throw new PosternError("malformed", `${what} must be a semantic version without build metadata, such as 1.2.0`);
  }
  return text;
}

/**
 * Below zero if `a` comes before `b`, zero only for the same text (section 11 of the standard). Numbers may have any length.
 *
 * @throws `malformed`, `too_large`
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  for (const at of [0, 1, 2] as const) {
    const order = compareNumbers(left.core[at], right.core[at]);
    if (order !== 0) return order;
  }
  if (left.prerelease === null || right.prerelease === null) {
    return Number(left.prerelease === null) - Number(right.prerelease === null);
  }
  for (let i = 0; i < Math.min(left.prerelease.length, right.prerelease.length); i++) {
    const order = compareIdentifiers(left.prerelease[i] ?? "", right.prerelease[i] ?? "");
    if (order !== 0) return order;
  }
  return left.prerelease.length - right.prerelease.length;
}

function split(text: string): { core: readonly [string, string, string]; prerelease: readonly string[] | null } {
  const [, major = "", minor = "", patch = "", prerelease] = VERSION.exec(requireVersion(text, "a version")) ?? [];
  return { core: [major, minor, patch], prerelease: prerelease?.split(".") ?? null };
}

/** Numbers come before words; words are compared as ASCII. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumberA, isNumberB] = [DIGITS.test(a), DIGITS.test(b)];
  if (isNumberA && isNumberB) return compareNumbers(a, b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return compareTexts(a, b);
}

/** Without leading zeros the longer one is the greater. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareTexts(a, b);
}

/** By UTF-16 code units, as members of canonical JSON and paths of a manifest are sorted. */
export function compareTexts(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

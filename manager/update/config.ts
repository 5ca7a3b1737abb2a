/** What a product's updates follow, as its owner chose it. One line of the database a product, as JSON. */
import * as v from "valibot";
import { PosternError } from "../../shared/errors.ts";
import { isProtected } from "../../shared/protocol/origin.ts";
import { LIMITS } from "../../shared/limits.ts";

const minute = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1_439));
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));

/** Where releases lie. A URL has no slash at its end. */
const source = v.variant("kind", [
  v.strictObject({ kind: v.literal("http"), url: path }),
  v.strictObject({ kind: v.literal("folder"), path }),
  v.strictObject({ kind: v.literal("github"), repository: path, base: path }),
]);

const config = v.strictObject({
  product: v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.maxProductChars)),
  source,
  /** A file of revocation lists in the place of the source's; and whether every issuer must have one in force. */
  listsFile: v.nullable(path),
  requiresLists: v.boolean(),
  allowsPublic: v.boolean(),
  allowsSchema1: v.boolean(),
  /** How far `postern run` goes by itself. */
  auto: v.picklist(["off", "check", "download", "apply"] as const),
  /** When it may switch, in minutes of the day in UTC; null for always. */
  window: v.nullable(v.strictObject({ from: minute, to: minute })),
  /** Whether a release that its publisher calls critical is switched to outside of the window as well. */
  criticalAtOnce: v.optional(v.boolean(), false),
  intervalMillis: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Shared by several tenants; null for one of this data folder. */
  cache: v.nullable(path),
  /** Where versions are installed; null for one that is only downloaded. */
  install: v.nullable(path),
  /** Program and arguments, empty for none; relative to the new version's folder where the program has a slash. */
  health: v.array(v.pipe(v.string(), v.maxLength(4_096))),
  healthMillis: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Versions that stay on the disk. */
  keep: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(100)),
  /** Whether `postern run` ends after a switch, to be started anew by its supervisor. */
  restarts: v.boolean(),
});

export type UpdateConfig = v.InferOutput<typeof config>;
export type SourceConfig = UpdateConfig["source"];
export type Window = NonNullable<UpdateConfig["window"]>;

export const DEFAULT_GITHUB = "https://github.com";

/** What holds until the owner says otherwise. */
export function firstConfig(product: string, from: SourceConfig): UpdateConfig {
  return {
    ...{ product, source: from, listsFile: null, requiresLists: true, allowsPublic: false, allowsSchema1: false },
    ...{ auto: "off", window: null, criticalAtOnce: false, cache: null, install: null } as const,
    intervalMillis: 21_600_000,
    ...{ health: [], healthMillis: 60_000, keep: 3, restarts: false },
  };
}

/** @throws `storage` for a damaged one */
export function readConfig(text: string): UpdateConfig {
  try {
    return v.parse(config, JSON.parse(text));
  } catch (cause) {
    throw new PosternError("storage", "The configuration of updates is damaged: postern update configure", { cause });
  }
}

/** The URL of a folder of releases. @throws `usage` */
export function parseBase(text: string, name: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (isPlain && isProtected(url)) return url.href.replace(/\/+$/, "");
  throw new PosternError(
    "usage",
    `${name} takes an https URL without user, query and fragment (http for this machine)`,
  );
}

/** OWNER/REPOSITORY as GitHub allows it. @throws `usage` */
export function parseRepository(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/.test(text) && !/\/\.{1,2}$/.test(text)) return text;
  throw new PosternError("usage", "--github takes OWNER/REPOSITORY");
}

/** `02:00-04:00`, in UTC; it may go over midnight. @throws `usage` */
export function parseWindow(text: string): Window {
  const found = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  const [from, to] = found === null
    ? [0, 0]
    : [Number(found[1]) * 60 + Number(found[2]), Number(found[3]) * 60 + Number(found[4])];
  if (from !== to) return { from, to };
  throw new PosternError("usage", `--window takes two times of the day in UTC, such as 02:00-04:00; found '${text}'`);
}

/** Whether a moment is within a window. @param now Millis */
export function isWithin(window: Window | null, now: number): boolean {
  if (window === null) return true;
  const minuteOfDay = Math.floor(now / 60_000) % 1_440;
  const { from, to } = window;
  return from < to ? minuteOfDay >= from && minuteOfDay < to : minuteOfDay >= from || minuteOfDay < to;
}
